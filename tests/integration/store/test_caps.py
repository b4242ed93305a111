"""Money is reserved before a call, and never more than the caps leave."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from holdfast.durable import Granted, Intent, Reply
from holdfast.errors import BudgetUsedUp, StepNotWanted
from holdfast.store import CallJournal, Caps, Database, ledgers, steering
from holdfast.store.generations import Created

Imported = Callable[..., Awaitable[int]]
Make = Callable[..., Awaitable[Created]]


def intent(step: str = "label/0", *, reserve: str = "2", key: str = "k") -> Intent:
    return Intent(id=str(uuid4()), step=step, fingerprint="f", model="m", reserve=Decimal(reserve), credential=key)


@pytest.fixture
def journal_of(database: Database, imported: Imported, created: Make) -> Callable[..., Awaitable[CallJournal]]:
    async def make(*, caps: Caps | None = None, **wanted: Any) -> CallJournal:
        made = await created(await imported(["a", "b", "c"]), **wanted)
        return CallJournal(
            database, generation_id=made.generation.id, unit_id=made.units[0].id, worker="w:1", caps=caps
        )

    return make


JournalOf = Callable[..., Awaitable[CallJournal]]


async def test_many_reservations_at_once_never_exceed_the_budget(journal_of: JournalOf) -> None:
    journal = await journal_of(budget=Decimal(10))

    async def reserve(number: int) -> Any:
        return await journal.begin(intent(f"label/{number}"), in_doubt="repeat")

    ends = await asyncio.gather(*(reserve(number) for number in range(12)), return_exceptions=True)

    refused = [end for end in ends if isinstance(end, BudgetUsedUp)]
    assert ends.count(Granted()) == 5
    assert [end.may_fit_soon for end in refused] == [True] * 7


async def test_what_was_reserved_and_not_spent_is_free_again(journal_of: JournalOf) -> None:
    journal = await journal_of(budget=Decimal(3))
    first = intent("label/0")
    await journal.begin(first, in_doubt="repeat")
    await journal.settle(first, Reply(value={}, cost=Decimal("0.5")))

    assert await journal.begin(intent("label/1"), in_doubt="repeat") == Granted()
    with pytest.raises(BudgetUsedUp) as refused:
        await journal.begin(intent("label/2"), in_doubt="repeat")

    assert (refused.value.used, refused.value.limit) == (Decimal("2.5"), Decimal(3))
    assert refused.value.may_fit_soon


async def test_a_budget_that_is_spent_will_not_fit_soon(journal_of: JournalOf) -> None:
    journal = await journal_of(budget=Decimal(3))
    first = intent("label/0")
    await journal.begin(first, in_doubt="repeat")
    await journal.settle(first, Reply(value={}, cost=Decimal(2)))

    with pytest.raises(BudgetUsedUp, match="raise it and resume") as refused:
        await journal.begin(intent("label/1"), in_doubt="repeat")

    assert not refused.value.may_fit_soon


async def test_money_in_doubt_counts_as_spent_and_a_failed_call_with_what_it_cost(journal_of: JournalOf) -> None:
    journal = await journal_of(budget=Decimal(10))
    unclear, failed = intent("label/0", reserve="4"), intent("label/1", reserve="4")
    for one in (unclear, failed):
        await journal.begin(one, in_doubt="repeat")
    await journal.fail(unclear, error="timed out", cost=None)
    await journal.fail(failed, error="refused", cost=Decimal(1))

    assert await journal.begin(intent("label/2", reserve="5"), in_doubt="repeat") == Granted()
    with pytest.raises(BudgetUsedUp) as refused:
        await journal.begin(intent("label/3", reserve="0.01"), in_doubt="repeat")

    assert refused.value.used == Decimal(10)


async def test_a_refused_call_leaves_its_predecessor_in_doubt(journal_of: JournalOf, database: Database) -> None:
    journal = await journal_of(budget=Decimal(3))
    await journal.begin(intent("label/0"), in_doubt="repeat")

    with pytest.raises(BudgetUsedUp) as refused:
        await journal.begin(intent("label/0"), in_doubt="repeat")

    assert not refused.value.may_fit_soon


@pytest.mark.parametrize(
    ("caps", "cap"),
    [
        (Caps(call=Decimal(1)), "cap per call"),
        (Caps(key_month=Decimal(1)), "cap per key and month"),
        (Caps(month=Decimal(1)), "cap per month"),
    ],
)
async def test_each_cap_refuses_with_its_name(journal_of: JournalOf, caps: Caps, cap: str) -> None:
    journal = await journal_of(caps=caps)

    with pytest.raises(BudgetUsedUp) as refused:
        await journal.begin(intent(), in_doubt="repeat")

    assert refused.value.cap == cap


async def test_one_key_s_month_is_not_another_s(journal_of: JournalOf) -> None:
    journal = await journal_of(caps=Caps(key_month=Decimal(3)))
    await journal.begin(intent("label/0", key="one"), in_doubt="repeat")

    assert await journal.begin(intent("label/1", key="other"), in_doubt="repeat") == Granted()
    with pytest.raises(BudgetUsedUp):
        await journal.begin(intent("label/2", key="one"), in_doubt="repeat")


async def test_no_call_is_made_for_a_generation_that_is_paused(journal_of: JournalOf, database: Database) -> None:
    journal = await journal_of()
    generation_id = journal._generation_id
    await database.run(lambda c: steering.pause(c, generation_id, why={"code": "paused", "message": "x"}))

    with pytest.raises(StepNotWanted, match="is paused"):
        await journal.begin(intent(reserve="0"), in_doubt="repeat")

    assert (await database.run(lambda c: ledgers.calls_of(c, generation_id)))[1] == 0


async def test_what_a_deleted_generation_has_cost_stays_in_the_ledger(
    journal_of: JournalOf, database: Database
) -> None:
    journal = await journal_of()
    one = intent()
    await journal.begin(one, in_doubt="repeat")
    usage = {"input_tokens": 10, "cache_read_tokens": 5, "output_tokens": 3}
    await journal.settle(one, Reply(value={"name": "secret"}, cost=Decimal("1.5"), usage=usage))

    await database.run(lambda c: steering.remove(c, journal._generation_id))

    for by, group in (("generation", "deleted"), ("model", "m"), ("key", "k")):
        [row] = await database.run(lambda c, by=by: ledgers.costs(c, since=None, until=None, by=by))
        assert (row.group, row.spent_usd, row.input_tokens, row.output_tokens) == (group, Decimal("1.5"), 15, 3)
