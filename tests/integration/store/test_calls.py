"""The journal of paid calls on a real PostgreSQL: the contract of all journals, and what only its rows show."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial

import pytest
from tests.journal_contract import CLAIMS, Claim, Sums, check_claim, intent, reply

from holdfast.durable import Recorded
from holdfast.errors import UnitTakenOver
from holdfast.store import CallJournal, Caps, Database, ledgers, units
from holdfast.store.generations import Created
from holdfast.store.ledgers import Ledger

Imported = Callable[..., Awaitable[int]]
Make = Callable[..., Awaitable[Created]]
Read = Callable[[], Awaitable[Ledger]]


@pytest.fixture
async def made(imported: Imported, created: Make) -> Created:
    return await created(await imported(["a", "b", "c"]))


@pytest.fixture
def journal(database: Database, made: Created) -> CallJournal:
    return CallJournal(database, generation_id=made.generation.id, unit_id=made.units[0].id, worker="w:1")


@pytest.fixture
def ledger(database: Database, made: Created) -> Read:
    async def read() -> Ledger:
        return await database.run(lambda connection: ledgers.ledger(connection, made.generation.id))

    return read


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
async def test_it_is_a_journal(claim: Claim, journal: CallJournal, ledger: Read) -> None:
    async def add_up() -> Sums:
        now = await ledger()
        return Sums(spent=now.spent, in_doubt=now.in_doubt, n_in_doubt=now.n_in_doubt)

    await check_claim(claim, journal, add_up)


@pytest.mark.parametrize("caps", [Caps(), Caps(month=Decimal(1000))])
async def test_a_worker_whose_unit_was_taken_over_begins_no_call_and_replays_what_is_there(
    database: Database, made: Created, ledger: Read, caps: Caps
) -> None:
    unit = made.units[0]
    old, new = (
        CallJournal(database, generation_id=made.generation.id, unit_id=unit.id, worker=worker, caps=caps)
        for worker in ("w:1", "w:2")
    )
    answered, under_way = intent(), intent(step="label/8")
    await database.run(partial(units.start, unit_id=unit.id, worker="w:1"))
    await old.begin(answered, in_doubt="repeat")
    await old.settle(answered, reply())
    await database.run(partial(units.start, unit_id=unit.id, worker="w:2", instead_of="w:1"))
    await new.begin(under_way, in_doubt="repeat")

    for other in (intent(step="label/8"), intent(step="label/9")):
        with pytest.raises(UnitTakenOver):
            await old.begin(other, in_doubt="repeat")

    assert isinstance(await old.begin(intent(), in_doubt="repeat"), Recorded)
    now = await ledger()
    assert (now.n_calls, now.n_in_doubt, now.reserved) == (1, 0, under_way.reserve)


async def test_money_is_reserved_once_until_its_call_is_in_doubt(journal: CallJournal, ledger: Read) -> None:
    one, other = intent(reserve="1.5"), intent(reserve="2")
    for _ in range(3):
        await journal.begin(one, in_doubt="hold")
    before = await ledger()

    await journal.begin(other, in_doubt="repeat")

    after = await ledger()
    assert (before.reserved, before.in_doubt) == (Decimal("1.5"), Decimal(0))
    assert (after.reserved, after.in_doubt) == (Decimal(2), Decimal("1.5"))


async def test_each_reply_counts_as_a_call_and_all_but_the_first_as_repeated(
    journal: CallJournal, ledger: Read
) -> None:
    intents = [intent() for _ in range(3)]
    for one in intents:
        await journal.begin(one, in_doubt="repeat")

    for one in (*intents, intents[0]):
        await journal.settle(one, reply())

    now = await ledger()
    assert (now.n_calls, now.n_repeated, now.spent) == (3, 2, Decimal(3))


async def test_a_failed_call_is_a_call(journal: CallJournal, ledger: Read) -> None:
    one = intent()
    await journal.begin(one, in_doubt="hold")
    await journal.fail(one, error="Overloaded: 529", cost=Decimal("0.10"))

    assert (await ledger()).n_calls == 1
