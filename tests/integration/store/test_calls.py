"""The journal of paid calls on a real PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import uuid4

import pytest

from holdfast.durable import Granted, Held, Intent, Recorded, Reply
from holdfast.store import CallJournal, Database, ledgers
from holdfast.store.generations import Created

Imported = Callable[..., Awaitable[int]]
Make = Callable[..., Awaitable[Created]]


def intent(step: str = "label/0", *, reserve: str = "2") -> Intent:
    return Intent(id=str(uuid4()), step=step, fingerprint="f", model="m", reserve=Decimal(reserve))


@pytest.fixture
async def made(imported: Imported, created: Make) -> Created:
    return await created(await imported(["a", "b", "c"]))


@pytest.fixture
def journal(database: Database, made: Created) -> CallJournal:
    return CallJournal(database, generation_id=made.generation.id, unit_id=made.units[0].id, worker="w:1")


async def test_a_settled_call_is_replayed(journal: CallJournal) -> None:
    first = intent()
    assert await journal.begin(first, in_doubt="repeat") == Granted()

    await journal.settle(first, Reply(value={"name": "Parking"}, cost=Decimal("1.25")))

    assert await journal.begin(intent(), in_doubt="repeat") == Recorded(value={"name": "Parking"})


async def test_a_repeated_begin_of_one_intent_is_one_intent(
    journal: CallJournal, database: Database, made: Created
) -> None:
    one = intent()

    answers = [await journal.begin(one, in_doubt="hold") for _ in range(3)]

    assert answers == [Granted()] * 3
    assert (await database.run(lambda c: ledgers.ledger(c, made.generation.id))).reserved == Decimal(2)


async def test_an_intent_without_a_reply_is_in_doubt_with_its_money(
    journal: CallJournal, database: Database, made: Created
) -> None:
    dead = intent(reserve="1.5")
    await journal.begin(dead, in_doubt="repeat")

    held = await journal.begin(intent(), in_doubt="hold")
    granted = await journal.begin(intent(reserve="2"), in_doubt="repeat")

    assert held == Held(call_id=dead.id)
    assert granted == Granted(doubts=(dead.id,))
    ledger = await database.run(lambda c: ledgers.ledger(c, made.generation.id))
    assert (ledger.in_doubt, ledger.n_in_doubt, ledger.reserved) == (Decimal("1.5"), 1, Decimal(2))


async def test_a_late_reply_is_recorded_and_the_first_one_counts(
    journal: CallJournal, database: Database, made: Created
) -> None:
    zombie, mine = intent(), intent()
    await journal.begin(zombie, in_doubt="repeat")
    await journal.begin(mine, in_doubt="repeat")

    first = await journal.settle(mine, Reply(value="mine", cost=Decimal(1)))
    late = await journal.settle(zombie, Reply(value="late", cost=Decimal(1)))

    assert (first, late) == ("mine", "mine")
    ledger = await database.run(lambda c: ledgers.ledger(c, made.generation.id))
    assert (ledger.spent, ledger.n_calls, ledger.n_repeated, ledger.n_in_doubt) == (Decimal(2), 2, 1, 0)


async def test_replies_settled_at_the_same_time_leave_one_winner(
    journal: CallJournal, database: Database, made: Created
) -> None:
    intents = [intent() for _ in range(6)]
    for one in intents:
        await journal.begin(one, in_doubt="repeat")

    values = await asyncio.gather(
        *(journal.settle(one, Reply(value=n, cost=Decimal(1))) for n, one in enumerate(intents))
    )

    assert len(set(values)) == 1
    ledger = await database.run(lambda c: ledgers.ledger(c, made.generation.id))
    assert (ledger.n_calls, ledger.n_repeated, ledger.spent) == (6, 5, Decimal(6))


async def test_settling_twice_counts_once(journal: CallJournal, database: Database, made: Created) -> None:
    one = intent()
    await journal.begin(one, in_doubt="repeat")

    for _ in range(2):
        assert await journal.settle(one, Reply(value="v", cost=Decimal(1))) == "v"

    ledger = await database.run(lambda c: ledgers.ledger(c, made.generation.id))
    assert (ledger.n_calls, ledger.n_repeated, ledger.spent) == (1, 0, Decimal(1))


async def test_a_failed_call_keeps_what_it_cost_and_does_not_block_the_next(
    journal: CallJournal, database: Database, made: Created
) -> None:
    one = intent()
    await journal.begin(one, in_doubt="hold")
    await journal.fail(one, error="Overloaded: 529", cost=Decimal("0.10"))

    assert await journal.begin(intent(), in_doubt="hold") == Granted()
    ledger = await database.run(lambda c: ledgers.ledger(c, made.generation.id))
    assert (ledger.spent, ledger.n_calls) == (Decimal("0.10"), 1)
