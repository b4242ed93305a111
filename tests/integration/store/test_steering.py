"""Pause, resume, retry and settle, on a real PostgreSQL."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from holdfast.durable import Held, Intent, Reply
from holdfast.errors import Conflict
from holdfast.store import CallJournal, Database, generations, ledgers, steering, units
from holdfast.store.generations import Created, Generation
from holdfast.store.units import Done, Ended, GivenUp, NewUnit, OwedUnit, Plan, StageEnd, UnitRef

Imported = Callable[..., Awaitable[int]]
Make = Callable[..., Awaitable[Created]]
WHY = {"code": "paused", "message": "somebody paused it", "unit": None, "attempt": None}


def two_stages(end: StageEnd) -> Plan:
    if end.stage == "one":
        return [NewUnit(stage="two", ordinal=0, round=end.retries)]
    return Ended(state="partial" if end.failed.get("one") else "completed", result={"n": end.done.get("one", 0)})


async def end_all(database: Database, refs: list[UnitRef], *, failing: int = 0) -> None:
    """End these units, the first `failing` of them as given up, and then what follows from them."""
    for place, ref in enumerate(refs):
        end = GivenUp(code="x", message="no") if place < failing else Done()
        following = await database.run(lambda c, r=ref, e=end: units.finish(c, r, e, plan=two_stages))
        await end_all(database, following or [])


async def state_of(database: Database, made: Created) -> Generation:
    return await database.run(lambda c: generations.get(c, made.generation.id))


async def test_a_paused_generation_owes_nothing_until_it_is_resumed_with_its_new_budget(
    database: Database, imported: Imported, created: Make
) -> None:
    made = await created(await imported(["a", "b"]), budget=Decimal(1))

    await database.run(lambda c: steering.pause(c, made.generation.id, why=WHY))
    paused = await state_of(database, made)
    owed_meanwhile = await database.run(units.owed)
    await database.run(lambda c: steering.resume(c, made.generation.id, budget=Decimal(5)))
    resumed = await state_of(database, made)

    assert (paused.state, paused.error, owed_meanwhile) == ("paused", WHY, [])
    assert (resumed.state, resumed.error, resumed.budget_usd) == ("active", None, Decimal(5))
    assert len(await database.run(units.owed)) == 2


async def test_what_was_found_before_a_resume_pauses_nothing_after_it(
    database: Database, imported: Imported, created: Make
) -> None:
    made = await created(await imported(["a", "b"]), budget=Decimal(1))
    early, late = [await database.run(lambda c, r=ref: units.start(c, r.id, worker="w")) for ref in made.units]

    async def pause(unit: object) -> str:
        assert isinstance(unit, OwedUnit)
        paused = await database.run(lambda c: steering.pause(c, made.generation.id, why=WHY, resumes=unit.resumes))
        state = (await state_of(database, made)).state
        assert paused == (state == "paused")
        return state

    assert await pause(early) == "paused"
    await database.run(lambda c: steering.resume(c, made.generation.id, budget=Decimal(5)))
    assert await pause(late) == "active", "its budget was the old one"
    await database.run(lambda c: steering.resume(c, made.generation.id, budget=Decimal(6)))  # of an active one
    newest = await database.run(lambda c: units.start(c, made.units[0].id, worker="w"))
    assert await pause(newest) == "paused"


async def test_the_time_a_generation_is_paused_is_no_work(
    database: Database, imported: Imported, created: Make
) -> None:
    made = await created(await imported(["a", "b"]))
    await database.run(lambda c: units.start(c, made.units[0].id, worker="w"))
    hour = "UPDATE holdfast.generations SET {0} = {0} - interval '1 hour'"

    await database.run(lambda c: c.execute(text(hour.format("started_at"))))
    await database.run(lambda c: steering.pause(c, made.generation.id, why=WHY))
    for moment in ("started_at", "finished_at"):  # it was paused for an hour
        await database.run(lambda c, m=moment: c.execute(text(hour.format(m))))
    paused = await state_of(database, made)
    await database.run(lambda c: steering.resume(c, made.generation.id, budget=None))
    resumed = await state_of(database, made)
    now = await database.run(lambda c: c.scalar(select(func.now())))

    assert paused.started_at is not None
    assert paused.finished_at is not None
    assert resumed.started_at is not None
    assert timedelta(hours=1) <= paused.finished_at - paused.started_at < timedelta(hours=1, minutes=1)
    assert timedelta(hours=1) <= now - resumed.started_at < timedelta(hours=1, minutes=1)
    assert resumed.finished_at is None


async def test_the_same_thing_twice_is_the_same_as_once(database: Database, imported: Imported, created: Make) -> None:
    made = await created(await imported(["a", "b"]))

    for _ in range(2):
        await database.run(lambda c: steering.pause(c, made.generation.id, why=WHY))
    for _ in range(2):
        await database.run(lambda c: steering.resume(c, made.generation.id, budget=None))

    assert (await state_of(database, made)).state == "active"


async def test_retrying_owes_what_failed_and_what_was_built_without_it(
    database: Database, imported: Imported, created: Make
) -> None:
    made = await created(await imported(["a", "b"]))
    for ref in made.units:
        await database.run(lambda c, r=ref: units.start(c, r.id, worker="w"))
    await end_all(database, list(made.units), failing=1)
    before = await state_of(database, made)

    retried = await database.run(lambda c: steering.retry(c, made.generation.id, rebuilt=("two",), budget=None))
    owed = await database.run(units.owed)
    started = await database.run(lambda c: units.start(c, owed[0].id, worker="w2"))
    await end_all(database, owed)
    after = await state_of(database, made)

    assert (before.state, retried) == ("partial", 1)
    assert [(ref.stage, ref.ordinal, ref.round) for ref in owed] == [("one", 0, 1)]
    assert isinstance(started, units.OwedUnit)
    assert started.retries == 1
    assert (after.state, after.result, after.error) == ("completed", {"n": 2}, None)
    rebuilt = await database.run(lambda c: units.results(c, made.generation.id, "two"))
    assert list(rebuilt) == [0]


async def test_the_rebuilt_unit_has_a_job_of_its_own(database: Database, imported: Imported, created: Make) -> None:
    made = await created(await imported(["a", "b"]))
    await end_all(database, list(made.units), failing=1)
    await database.run(lambda c: steering.retry(c, made.generation.id, rebuilt=("two",), budget=None))
    [again] = await database.run(units.owed)

    following = await database.run(lambda c: units.finish(c, again, Done(), plan=two_stages))

    assert following is not None
    assert [(ref.stage, ref.round) for ref in following] == [("two", 1)]


async def test_only_what_failed_can_be_retried_and_not_beside_its_twin(
    database: Database, imported: Imported, created: Make
) -> None:
    category = await imported(["a", "b"])
    made = await created(category)
    with pytest.raises(Conflict, match="is active"):
        await database.run(lambda c: steering.retry(c, made.generation.id, rebuilt=("two",), budget=None))
    await end_all(database, list(made.units), failing=2)
    await created(category)

    with pytest.raises(Conflict, match="being generated again already"):
        await database.run(lambda c: steering.retry(c, made.generation.id, rebuilt=("two",), budget=None))


async def test_a_held_unit_waits_until_its_call_is_settled(
    database: Database, imported: Imported, created: Make
) -> None:
    made = await created(await imported(["a", "b"]))
    unit = made.units[0]
    journal = CallJournal(database, generation_id=made.generation.id, unit_id=unit.id, worker="w:1")

    def intent() -> Intent:
        return Intent(id=str(uuid4()), step="label/0", fingerprint="f", model="m", reserve=Decimal(2))

    await journal.begin(intent(), in_doubt="hold")
    held = await journal.begin(intent(), in_doubt="hold")
    assert isinstance(held, Held)
    await database.run(lambda c: units.hold(c, unit.id, call_id=UUID(held.call_id)))
    owed_meanwhile = [ref.id for ref in await database.run(units.owed)]
    started = await database.run(lambda c: units.start(c, unit.id, worker="w"))
    free_too_early = await database.run(lambda c: units.settled_holds(c, made.generation.id, release=True))

    settled = await database.run(
        lambda c: ledgers.settle_doubts(c, made.generation.id, call_ids=None, cost=Decimal("0.75"))
    )
    free = await database.run(lambda c: units.settled_holds(c, made.generation.id, release=True))

    assert (owed_meanwhile, started, free_too_early) == ([made.units[1].id], None, [])
    assert [str(one) for one in settled] == [held.call_id]
    assert [ref.id for ref in free] == [unit.id]
    money = await database.run(lambda c: ledgers.ledger(c, made.generation.id))
    assert (money.spent, money.in_doubt, money.n_in_doubt) == (Decimal("0.75"), Decimal(0), 0)


async def test_a_late_reply_of_a_settled_call_counts_with_its_real_cost(
    database: Database, imported: Imported, created: Make
) -> None:
    made = await created(await imported(["a", "b"]))
    journal = CallJournal(database, generation_id=made.generation.id, unit_id=made.units[0].id, worker="w:1")
    zombie = Intent(id=str(uuid4()), step="label/0", fingerprint="f", model="m", reserve=Decimal(2))
    await journal.begin(zombie, in_doubt="repeat")
    await journal.fail(zombie, error="cut off", cost=None)
    await database.run(lambda c: ledgers.settle_doubts(c, made.generation.id, call_ids=None, cost=None))
    guessed = await database.run(lambda c: ledgers.ledger(c, made.generation.id))

    await journal.settle(zombie, Reply(value={}, cost=Decimal("1.25")))

    real = await database.run(lambda c: ledgers.ledger(c, made.generation.id))
    assert (guessed.spent, real.spent) == (Decimal(2), Decimal("1.25"))
