"""What was owed, done, lost and done twice, counted over real units and calls."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import UUID

import pytest

from holdfast.durable import Intent, Reply
from holdfast.store import CallJournal, Database, balances, units
from holdfast.store.balances import Balance
from holdfast.store.generations import Created
from holdfast.store.units import Done, Ended, GivenUp

ANSWERS = ["one", "two", "three"]


@pytest.fixture
async def begun(
    imported: Callable[..., Awaitable[int]], created: Callable[..., Awaitable[Created]], database: Database
) -> Created:
    """A generation with two units, both started by the worker w1."""
    made = await created(await imported(ANSWERS))
    for ref in made.units:
        await database.run(lambda connection, ref=ref: units.start(connection, ref.id, worker=f"w1:{ref.ordinal}"))
    return made


def intent(number: int) -> Intent:
    return Intent(id=str(UUID(int=number)), step="label/0", fingerprint="f", model="offline", reserve=Decimal(0))


def journal(database: Database, begun: Created) -> CallJournal:
    ref = begun.units[0]
    return CallJournal(database, generation_id=ref.generation_id, unit_id=ref.id, worker="w1:0")


async def balance_of(database: Database, begun: Created) -> Balance:
    return await database.run(lambda connection: balances.balance(connection, begun.generation.id))


async def test_what_is_begun_is_owed_and_in_hand(database: Database, begun: Created) -> None:
    await journal(database, begun).begin(intent(1), in_doubt="repeat")

    held = await database.run(lambda connection: balances.in_hand(connection, begun.generation.id))

    assert {(unit.ordinal, unit.worker, unit.in_call) for unit in held} == {(0, "w1:0", True), (1, "w1:1", False)}
    assert await balance_of(database, begun) == Balance(
        owed=2, done=0, failed=0, steps=1, done_twice=0, in_doubt=0, repeated=0
    )


async def test_units_that_ended_are_owed_no_more(database: Database, begun: Created) -> None:
    for ref, end in zip(begun.units, (Done(), GivenUp(code="c", message="m")), strict=True):
        await database.run(
            lambda connection, ref=ref, end=end: units.finish(
                connection, ref, end, plan=lambda _: Ended(state="partial")
            )
        )

    balance = await balance_of(database, begun)

    assert (balance.owed, balance.done, balance.failed, balance.lost) == (2, 1, 1, 0)
    assert await database.run(lambda connection: balances.in_hand(connection, begun.generation.id)) == []
    account = await database.run(lambda connection: balances.account(connection, begun.generation.id))
    assert account.state == "partial"
    assert [(unit.id, unit.ordinal, unit.round, unit.state) for unit in account.units] == [
        (begun.units[0].id, 0, 0, "done"),
        (begun.units[1].id, 1, 0, "failed"),
    ]


async def test_of_a_generation_that_is_not_there_nothing_is_known(database: Database, begun: Created) -> None:
    account = await database.run(lambda connection: balances.account(connection, UUID(int=5)))

    assert (account.state, account.units) == ("unknown", ())


async def test_a_call_cut_off_and_repeated_is_in_doubt_and_not_done_twice(database: Database, begun: Created) -> None:
    calls = journal(database, begun)
    await calls.begin(intent(1), in_doubt="repeat")
    await calls.begin(intent(2), in_doubt="repeat")

    before = await balance_of(database, begun)
    await calls.settle(intent(2), Reply(value="label"))
    after = await balance_of(database, begun)

    assert (before.in_doubt, before.repeated) == (1, 0)
    assert (after.steps, after.done_twice, after.in_doubt, after.repeated) == (1, 0, 1, 1)


async def test_a_late_reply_beside_the_first_is_done_twice(database: Database, begun: Created) -> None:
    calls = journal(database, begun)
    for number in (1, 2):
        await calls.begin(intent(number), in_doubt="repeat")
    for number in (1, 2):
        await calls.settle(intent(number), Reply(value=number))

    assert (await balance_of(database, begun)).done_twice == 1


async def test_a_generation_without_calls_balances(database: Database, begun: Created) -> None:
    assert (await balance_of(database, begun)).steps == 0
