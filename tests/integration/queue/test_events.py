"""What happens in a queue is told in order, once, from any point, over reconnects."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
import redis.asyncio

from holdfast.embedded import RedisServer
from holdfast.errors import QueueError
from holdfast.queue import Job, NewJob, Queue
from holdfast.queue.client.events import Event, Events

from .conftest import Working


async def heard(events: Events, last: str) -> list[Event]:
    """The next events up to the first of a kind."""
    found: list[Event] = []
    async with asyncio.timeout(20):
        async for event in events:
            found.append(event)
            if event.kind == last:
                return found
    raise AssertionError(f"the events ended before {last}: {found}")


def kinds_of(events: list[Event], job_id: str) -> list[str]:
    return [event.kind for event in events if event.job_id == job_id]


async def fail_once(job: Job) -> str:
    if job.attempts_made == 0:
        raise ValueError("not yet")
    await job.update_progress({"step": 2})
    return "done"


async def fail(_job: Job) -> None:
    raise ValueError("never")


async def test_a_job_s_life_is_told_in_order(queue: Queue, working: Working) -> None:
    async with queue.events() as events:
        job = await queue.add("x", attempts=2)
        async with working({"x": fail_once}):
            told = await heard(events, "completed")

    assert kinds_of(told, job.id) == [
        "added",
        "active",
        "retried",
        "waiting",
        "active",
        "progress",
        "completed",
    ]
    assert [event.data for event in told if event.kind in ("retried", "progress")] == ["not yet", {"step": 2}]
    assert all(earlier.at <= later.at for earlier, later in pairwise(told))


async def test_a_job_that_fails_for_good_tells_the_reason(queue: Queue, working: Working) -> None:
    async with queue.events(kinds=["failed"]) as events:
        job = await queue.add("x")
        async with working({"x": fail}):
            told = await heard(events, "failed")

    assert [(event.job_id, event.data) for event in told] == [(job.id, "never")]


async def test_delayed_jobs_and_what_operators_do_are_told(queue: Queue, working: Working) -> None:
    async with queue.events() as events:
        await queue.pause()
        job = await queue.add("x", delay=0.05)
        await queue.resume()
        async with working({"x": fail}):
            told = await heard(events, "failed")
        await queue.retry(job.id)
        await queue.remove(job.id)
        told += await heard(events, "removed")

    assert kinds_of(told, job.id) == ["added", "delayed", "waiting", "active", "failed", "waiting", "removed"]
    assert [event.kind for event in told if event.job_id is None and event.kind != "drained"] == ["paused", "resumed"]


async def test_a_batch_costs_one_entry_and_tells_of_each_job(queue: Queue, client: "redis.asyncio.Redis") -> None:
    jobs = await queue.add_many(NewJob("x", n) for n in range(300))

    told = await first(queue.events(after="0"), 300)

    assert await client.xlen(queue.keys.event_stream) == 1
    assert [event.job_id for event in told] == [job.id for job in jobs]


async def first(events: Events, count: int) -> list[Event]:
    found: list[Event] = []
    async with asyncio.timeout(20), events:
        while len(found) < count:
            found.append(await anext(events))
    return found


async def test_any_event_is_a_place_to_go_on_from(queue: Queue) -> None:
    await queue.add_many(NewJob("x", n) for n in range(3))
    await queue.add("x", delay=60)
    told = await first(queue.events(after="0"), 5)

    for known in range(5):
        again = await first(queue.events(after=told[known].id), 4 - known)

        assert again == told[known + 1 :]
    assert len({event.id for event in told}) == 5


async def test_a_reader_that_comes_too_late_is_told_of_the_gap(queue: Queue, client: "redis.asyncio.Redis") -> None:
    old = await queue.add("x")
    place = (await first(queue.events(after="0"), 1))[0].id
    await queue.add("x")
    kept = await queue.add("x")
    await client.xtrim(queue.keys.event_stream, maxlen=1, approximate=False)

    told = await first(queue.events(after=place, kinds=["added"]), 2)
    again = await first(queue.events(after=told[0].id), 1)

    assert old.id != kept.id
    assert [(event.kind, event.job_id) for event in told] == [("gap", None), ("added", kept.id)]
    assert told[0].data == place.partition("/")[0]
    assert again == told[1:]


async def test_a_reader_that_paused_too_long_is_told_of_the_gap(queue: Queue, client: "redis.asyncio.Redis") -> None:
    await queue.add("x")
    async with queue.events() as events:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(events)
        await queue.add("x")
        await queue.add("x")
        await client.xtrim(queue.keys.event_stream, maxlen=1, approximate=False)

        told = await heard(events, "added")

    assert [event.kind for event in told] == ["gap", "added"]


async def test_no_gap_is_told_while_nothing_was_dropped(queue: Queue, client: "redis.asyncio.Redis") -> None:
    await queue.add_many([NewJob("x"), NewJob("x")])
    place = (await first(queue.events(after="0"), 1))[0].id
    kept = await queue.add("x")
    await client.xtrim(queue.keys.event_stream, maxlen=2, approximate=False)

    told = await first(queue.events(after=place), 2)

    assert [event.kind for event in told] == ["added", "added"]
    assert told[1].job_id == kept.id


async def test_a_reader_goes_on_with_a_redis_that_lost_its_stream(queue: Queue, client: "redis.asyncio.Redis") -> None:
    async with queue.events(kinds=["added"]) as events:
        await queue.add("x")
        await heard(events, "added")
        await client.flushall()
        # It waits behind an entry that is gone; the block of its read ends with the next one.
        job = await queue.add("x")
        told = await heard(events, "added")

    assert told[-1].job_id == job.id


async def test_a_place_in_a_stream_that_was_lost_is_a_gap(queue: Queue) -> None:
    far = "9999999999999-0"

    async with queue.events(after=far) as events:
        gap = await anext(events)
        job = await queue.add("x")
        told = await anext(events)

    assert (gap.kind, gap.data) == ("gap", far)
    assert told.job_id == job.id


async def test_events_survive_a_redis_that_is_killed_and_started_again(own_redis: RedisServer) -> None:
    async with Queue("q", url=own_redis.url) as queue, queue.events() as events:
        before = await queue.add("x")
        told = await heard(events, "added")
        waiting = asyncio.create_task(heard(events, "added"))
        own_redis.kill()
        own_redis.start()
        async with asyncio.timeout(20):
            after = await queue.add("x", job_id="after")
        told += await waiting

    assert [(event.kind, event.job_id) for event in told] == [("added", before.id), ("added", after.id)]


async def test_every_event_is_told_once_though_connections_are_cut_all_the_time(
    queue: Queue, client: "redis.asyncio.Redis"
) -> None:
    count = 300

    async def cut() -> None:
        while True:
            await client.client_kill_filter(_type="normal", skipme=True)
            await asyncio.sleep(0.03)

    async with queue.events(kinds=["added"]) as events:
        cutting = asyncio.create_task(cut())
        told: list[Event] = []
        for n in range(count):
            await queue.add("x", job_id=f"j-{n}")
            if n % 10 == 0:
                told.append(await anext(events))
        cutting.cancel()
        async with asyncio.timeout(20):
            while len(told) < count:
                told.append(await anext(events))
        told += await events.up_to_now()

    assert [event.job_id for event in told] == [f"j-{n}" for n in range(count)]


async def test_closing_ends_an_iteration_that_waits(queue: Queue) -> None:
    events = queue.events()
    waiting = asyncio.create_task(_all(events))
    await asyncio.sleep(0.05)

    await events.close()

    async with asyncio.timeout(2):
        assert await waiting == []


async def test_closing_the_queue_ends_its_iterations(queue: Queue) -> None:
    waiting = [asyncio.create_task(_all(queue.events())) for _ in range(3)]
    await asyncio.sleep(0.05)

    await queue.close()

    async with asyncio.timeout(2):
        assert await asyncio.gather(*waiting) == [[], [], []]


async def _all(events: Events) -> list[Event]:
    return [event async for event in events]


async def test_a_reader_that_gave_up_waiting_misses_nothing(queue: Queue) -> None:
    async with queue.events(kinds=["added"]) as events:
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await anext(events)
        jobs = [await queue.add("x") for _ in range(3)]
        async with asyncio.timeout(5):
            told = [await anext(events) for _ in range(3)]

    assert [event.job_id for event in told] == [job.id for job in jobs]


async def test_telling_can_be_switched_off_for_all_and_on_again(queue: Queue, client: "redis.asyncio.Redis") -> None:
    await queue.tell_events(False)
    await queue.add("x")
    assert not await client.exists(queue.keys.event_stream)

    await queue.tell_events(True)
    job = await queue.add("x")

    assert [event.job_id for event in await first(queue.events(after="0"), 1)] == [job.id]


async def test_the_stream_is_capped(queue: Queue, client: "redis.asyncio.Redis") -> None:
    async with client.pipeline(transaction=False) as pipeline:
        for n in range(10_500):
            pipeline.xadd(queue.keys.event_stream, {"drained": ""}, id=f"1-{n + 1}")
        await pipeline.execute()

    await queue.add("x")

    assert 10_000 <= await client.xlen(queue.keys.event_stream) <= 10_200


async def test_a_job_named_like_the_stream_stops_no_script(queue: Queue, client: "redis.asyncio.Redis") -> None:
    await client.hset(queue.keys.event_stream, mapping={"name": "of somebody else"})  # type: ignore[misc]

    job = await queue.add("x")

    assert await queue.get(job.id) is not None
    with pytest.raises(QueueError, match="refused"):
        async with queue.events() as events:
            await anext(events)


@pytest.mark.parametrize(("after", "kinds"), [("yesterday", None), ("0", []), ("0", ["complete"])])
async def test_a_place_or_kind_that_is_none_is_refused(queue: Queue, after: str, kinds: Any) -> None:
    with pytest.raises(QueueError):
        queue.events(after=after, kinds=kinds)


@pytest.fixture(autouse=True)
async def _closed(queue: Queue) -> AsyncIterator[None]:
    yield
    await queue.close()
