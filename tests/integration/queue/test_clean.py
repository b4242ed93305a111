"""Taking jobs out of a queue in numbers."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from holdfast.queue import BadJob, Job, NewJob, Queue, QueueError, Retention

EMPTY = dict.fromkeys(("wait", "active", "completed", "failed", "delayed", "paused"), 0)
HOUR_MS = 3_600_000


async def fine(_job: Job) -> None:
    pass


async def broken(_job: Job) -> None:
    raise ValueError("no")


async def keys_of(client: Any) -> set[str]:
    return {key async for key in client.scan_iter("*")}


async def age(client: Any, state: str, ids: list[str], by_ms: int) -> None:
    for job_id in ids:
        await client.zincrby(f"bull:q:{state}", -by_ms, job_id)


async def test_only_jobs_that_ended_longer_ago_are_cleaned(
    queue: Queue, working: Any, counted: Any, client: Any
) -> None:
    jobs = await queue.add_many([NewJob("broken", n) for n in range(450)])
    async with working({"broken": broken}):
        await counted(failed=450)
    old = [job.id for job in jobs[::3]]
    await age(client, "failed", old, HOUR_MS + 1_000)

    assert await queue.clean("failed", older_than=timedelta(hours=2)) == 0
    assert await queue.clean("failed", older_than=timedelta(hours=1), limit=20) == 20
    assert await queue.clean("failed", older_than=HOUR_MS / 1000) == 130

    assert set(await queue.states(old)) == set(old)
    assert set((await queue.states(old)).values()) == {None}
    assert (await queue.counts())["failed"] == 300


@pytest.mark.parametrize("state", ["wait", "paused"])
async def test_ages_are_compared_as_numbers_and_the_order_of_what_stays_is_kept(
    queue: Queue, client: Any, state: Any
) -> None:
    if state == "paused":
        await queue.pause()
    jobs = await queue.add_many([NewJob("x", n) for n in range(600)])
    now = int((await client.time())[0]) * 1000
    for job in jobs:  # as text the 9 would be more than any time of this century
        if job.data % 2:
            await client.hset(f"bull:q:{job.id}", "timestamp", "9")
        elif job.data % 4:
            await client.hdel(f"bull:q:{job.id}", "timestamp")
        else:
            await client.hset(f"bull:q:{job.id}", "timestamp", now + HOUR_MS)

    assert await queue.clean(state, older_than=60) == 300

    assert [job.data for job in await queue.jobs(state)] == list(range(0, 600, 2))


async def test_a_job_without_a_time_is_not_cleaned_by_the_age_of_another(queue: Queue, client: Any) -> None:
    await queue.add_many([NewJob("x", job_id=name, delay=60) for name in ("old", "unknown")])
    await client.hset("bull:q:old", "timestamp", 1)
    await client.hset("bull:q:unknown", "timestamp", "some day")

    assert await queue.clean("delayed", older_than=1) == 1

    assert await queue.states(["old", "unknown"]) == {"old": None, "unknown": "delayed"}


async def test_a_job_that_is_locked_is_not_cleaned_wherever_its_id_is(queue: Queue, client: Any) -> None:
    await queue.add_many([NewJob("x", job_id=name) for name in ("free", "taken")])
    await client.set("bull:q:taken:lock", "node", px=60_000)

    assert await queue.clean("wait") == 1

    assert await client.lrange("bull:q:wait", 0, -1) == ["taken"]


@pytest.mark.parametrize("state", ["active", "nowhere"])
async def test_active_jobs_cannot_be_cleaned(queue: Queue, state: Any) -> None:
    with pytest.raises(QueueError, match="cannot be cleaned; say one of wait"):
        await queue.clean(state)


async def test_an_age_that_makes_no_sense_is_refused(queue: Queue) -> None:
    with pytest.raises(BadJob, match="older_than"):
        await queue.clean("failed", older_than=-1)


async def test_what_is_cleaned_leaves_nothing_behind(queue: Queue, working: Any, counted: Any, client: Any) -> None:
    async def talk(job: Job) -> None:
        await job.log("hello")

    await queue.add_many([NewJob("talk", remove_on_complete=Retention(count=9, age=99)) for _ in range(3)])
    async with working({"talk": talk}):
        await counted(completed=3)
    await queue.add("talk", job_id="debounced", delay=60)
    await client.hset("bull:q:debounced", "deid", "d")
    await client.set("bull:q:de:d", "debounced")

    assert await queue.clean("completed") == 3
    assert await queue.clean("delayed") == 1

    left = {key for key in await keys_of(client) if not key.startswith("bull:q:event-stream")}
    assert left - {"bull:q:id", "bull:q:watch", "bull:q:trimming"} == set()


async def test_a_drained_queue_keeps_what_runs_has_ended_or_will_be_due(
    queue: Queue, working: Any, counted: Any, until: Any
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_job: Job) -> None:
        begun.set()
        await go_on.wait()

    await queue.add("broken")
    async with working({"broken": broken}):
        await counted(failed=1)
    async with working({"slow": slow}, concurrency=1):
        await queue.add("slow")
        await begun.wait()
        await queue.add_many([NewJob("slow", priority=n % 3) for n in range(700)])
        await queue.add("slow", delay=60)

        assert await queue.drain() == 700

        assert await queue.counts() == EMPTY | {"active": 1, "failed": 1, "delayed": 1}
        go_on.set()
        await counted(completed=1, failed=1, delayed=1)
    assert await queue.drain(delayed=True) == 1


async def test_the_next_run_of_a_repeatable_is_not_drained(queue: Queue, client: Any) -> None:
    job = await queue.add("x", delay=60)
    await client.rename(f"bull:q:{job.id}", "bull:q:repeat:abc:1")
    await client.zadd("bull:q:delayed", {"repeat:abc:1": 2**52})
    await client.zrem("bull:q:delayed", job.id)

    assert await queue.drain(delayed=True) == 0

    assert (await queue.counts())["delayed"] == 1


async def test_an_obliterated_queue_leaves_nothing_and_its_neighbours_stay(
    queue: Queue, working: Any, counted: Any, client: Any
) -> None:
    names = ("q2", "q:events", "q:x", "q*")
    neighbours = [Queue(name, url=queue.url) for name in names]
    for neighbour in neighbours:
        await neighbour.add_many([NewJob("x", delay=9), NewJob("x", remove_on_complete=Retention(age=9))])
    before = await keys_of(client)
    await queue.add_many([NewJob("fine", remove_on_complete=Retention(count=50)) for _ in range(300)])
    await queue.add_many([NewJob("broken", job_id=f"j-{n}") for n in range(2)])
    async with working({"fine": fine, "broken": broken}):
        await counted(completed=50, failed=2)
    await queue.add_many([NewJob("x", priority=3), NewJob("x", delay=50), NewJob("x")])
    await client.set("bull:q:de:some", "1")
    await client.hset("bull:q:limiter:index", "1", "bull:q:limiter:limited")
    await client.sadd("bull:q:limiter:limited", "1")
    await client.zadd("bull:q:repeat", {"x:::1000": 1})
    await client.hset("bull:q:metrics:completed", "count", 1)
    await client.hset("bull:q:orphan", "name", "x")
    await client.rpush("bull:q:gone:logs", "line")
    await queue.pause()

    await queue.obliterate()

    assert await keys_of(client) == before
    for neighbour in neighbours:
        await neighbour.close()


async def test_a_queue_that_is_not_paused_is_not_obliterated(queue: Queue) -> None:
    await queue.add("x")

    with pytest.raises(QueueError, match="pause it first"):
        await queue.obliterate()

    assert (await queue.counts())["wait"] == 1


async def test_a_queue_with_active_jobs_is_obliterated_by_force_only_and_their_results_are_dropped(
    queue: Queue, working: Any, client: Any, until: Any
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_job: Job) -> None:
        begun.set()
        await go_on.wait()

    await queue.add("slow")
    async with working({"slow": slow}):
        await begun.wait()
        await queue.pause()
        with pytest.raises(QueueError, match="active jobs"):
            await queue.obliterate()
        assert (await queue.counts())["active"] == 1

        await queue.obliterate(force=True)
        go_on.set()

    left = await keys_of(client)
    assert not {key for key in left if key.split(":")[2] in ("1", "active", "completed", "failed", "wait", "paused")}


@pytest.mark.parametrize("how", ["remove", "clean", "drain", "obliterate"])
async def test_jobs_in_the_lines_of_groups_are_taken_out_as_those_that_wait(
    queue: Queue, client: Any, how: str
) -> None:
    await queue.add_many([NewJob("x", job_id=f"j-{n}") for n in range(3)])
    await client.delete("bull:q:wait")
    await client.zadd("bull:q:parked", {f"j-{n}": n for n in range(3)})

    match how:
        case "remove":
            assert all([await queue.remove(f"j-{n}") for n in range(3)])
        case "clean":
            assert await queue.clean("wait") == 3
        case "drain":
            assert await queue.drain() == 3
        case _:
            await queue.obliterate(force=True)

    assert await queue.counts() == EMPTY
    assert not await client.exists("bull:q:parked", "bull:q:j-1")
