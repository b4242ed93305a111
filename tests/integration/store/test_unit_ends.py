"""Units of one generation that end at once: the last one commits what follows, and readers see them in order."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from holdfast.store import Connection, Database, generations, steering, units
from holdfast.store.generations import Created
from holdfast.store.units import Done, Ended, GivenUp, NewUnit, Plan, StageEnd, UnitRef

Imported = Callable[..., Awaitable[int]]
Make = Callable[..., Awaitable[Created]]
STAGES = 4
WIDTH = 16
SINCE = text(
    "SELECT id, finished_at FROM holdfast.units WHERE generation_id = :generation_id AND finished_at IS NOT NULL"
    " AND (finished_at, id) > (:at, :id) ORDER BY finished_at, id"
)
CALL_LOCK = text("SELECT FROM holdfast.generations WHERE id = :id FOR KEY SHARE NOWAIT")  # as a call's foreign key
BEGINNING = text("SELECT '-infinity'::timestamptz")
DEADLOCKS = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


def wide(end: StageEnd) -> Plan:
    """After the first stage some wide ones."""
    number = 0 if end.stage == "one" else int(end.stage)
    if number == STAGES:
        return Ended(state="partial" if end.failed else "completed", result={"done": end.done, "failed": end.failed})
    return [NewUnit(stage=str(number + 1), ordinal=k) for k in range(WIDTH)]


@pytest.fixture
async def made(imported: Imported, created: Make) -> Created:
    return await created(await imported(["a", "b", "c"]))


async def end(database: Database, ref: UnitRef, how: Done | GivenUp | None = None) -> list[UnitRef]:
    """As the service ends a unit."""
    last = how or Done(result={"n": ref.ordinal})
    if isinstance(last, Done) and await database.each(lambda c: units.finish_one_of_many(c, ref, last)):
        return []
    return await database.run(lambda c: units.finish(c, ref, last, plan=wide)) or []


async def work(database: Database, ref: UnitRef, seed: int) -> list[UnitRef]:
    """Start and end a unit as workers do; some fail for good, some are ended by two workers."""
    chance = random.Random(seed * 1000 + ref.id)
    await database.each(lambda c: units.start(c, ref.id, worker="w:1"))
    how = GivenUp(code="c", message="m") if chance.random() < 0.1 else None
    twice = chance.random() < 0.2
    ends = await asyncio.gather(*(end(database, ref, how) for _ in range(2 if twice else 1)))
    return [following for found in ends for following in found]


async def follow(database: Database, generation_id: UUID, stopping: asyncio.Event) -> list[int]:
    """Read the units that have ended since the last look, as the replay of events does, until there are no more."""
    at, last, seen = await database.run(lambda c: c.scalar(BEGINNING)), 0, []
    while True:
        is_last_look = stopping.is_set()
        place: dict[str, Any] = {"generation_id": generation_id, "at": at, "id": last}
        rows = (await database.run(lambda c, place=place: c.execute(SINCE, place))).all()  # type: ignore[misc]
        for row in rows:
            at, last = row.finished_at, row.id
            seen.append(row.id)
        if is_last_look:
            return seen


@pytest.mark.parametrize("seed", range(3))
async def test_of_many_that_end_at_once_one_commits_the_next_stage_and_readers_miss_none(
    database: Database, made: Created, seed: int
) -> None:
    stopping, refs, stages, all_ = asyncio.Event(), list(made.units), [], list(made.units)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(follow(database, made.generation.id, stopping))
        while refs:
            found = await asyncio.gather(*(work(database, ref, seed) for ref in refs))
            stages.append(sum(bool(following) for following in found))
            refs = [ref for following in found for ref in following]
            all_ += refs
        stopping.set()

    ended = await database.run(lambda c: generations.get(c, made.generation.id))
    assert stages == [1] * STAGES + [0]
    assert ended.state in {"completed", "partial"}
    assert ended.result is not None
    counted = sum(n for how in ("done", "failed") for n in ended.result[how].values())
    assert counted == len(all_) == 2 + STAGES * WIDTH
    assert sorted(reading.result()) == sorted(ref.id for ref in all_)
    assert await database.run(lambda c: c.scalar(DEADLOCKS)) == 0


async def test_the_last_of_a_stage_is_left_to_who_can_say_what_follows(database: Database, made: Created) -> None:
    first, last = made.units

    ended = [await database.each(lambda c, ref=ref: units.finish_one_of_many(c, ref, Done())) for ref in (first, last)]  # type: ignore[misc]

    assert ended == [True, False]
    assert [ref.id for ref in await database.run(units.owed)] == [last.id]


async def test_a_unit_ends_once_and_not_in_a_generation_that_has_ended(database: Database, made: Created) -> None:
    first, second = made.units

    async def ended(ref: UnitRef) -> bool:
        return await database.each(lambda c: units.finish_one_of_many(c, ref, Done()))

    assert [await ended(first), await ended(first)] == [True, False]
    await database.run(lambda c: steering.cancel(c, made.generation.id))
    assert not await ended(second)


@pytest.mark.parametrize("other", ["another unit", "a cancel"])
async def test_a_unit_that_ends_holds_up_the_others_and_a_cancel_but_no_call(
    database: Database, made: Created, other: str
) -> None:
    """The order in which units end is the order in which they are seen."""
    first, second = made.units
    locked, go_on = asyncio.Event(), asyncio.Event()

    async def write(_: Connection) -> None:
        locked.set()
        await go_on.wait()

    async def act() -> None:
        if other == "another unit":
            await end(database, second)
        else:
            await database.run(lambda c: steering.cancel(c, made.generation.id))

    slow = asyncio.create_task(database.run(lambda c: units.finish(c, first, Done(), plan=wide, write=write)))
    await locked.wait()
    held_up = asyncio.create_task(act())
    await database.run(lambda c: c.execute(CALL_LOCK, {"id": made.generation.id}))
    done, _ = await asyncio.wait([held_up], timeout=0.3)
    go_on.set()
    await asyncio.gather(slow, held_up)

    assert not done
