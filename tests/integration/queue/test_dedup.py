"""Of jobs that say the same debounce id, one is there at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
import redis.asyncio

from holdfast.queue import BadJob, Debounce, Job, NewJob, Queue, Unrecoverable

Counted = Callable[..., Awaitable[None]]
Working = Callable[..., Any]


async def _idle(_job: Job) -> None:
    pass


async def test_a_second_job_of_the_same_debounce_id_is_the_first_and_bull_s_keys_say_so(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    async with client.pubsub() as channel:
        await channel.psubscribe("bull:q:debounced@*")
        first = await queue.add("send", 1, debounce=Debounce(id="user 1", ttl=timedelta(minutes=1)))

        second = await queue.add("send", 2, debounce=Debounce(id="user 1", ttl=60))
        messages = [await channel.get_message(timeout=5) for _ in range(2)]

    assert (second.id, second.data) == (first.id, 1)
    assert (await queue.counts())["wait"] == 1
    assert await client.get("bull:q:de:user 1") == first.id
    assert 55_000 < await client.pttl("bull:q:de:user 1") <= 60_000
    assert await client.hget(f"bull:q:{first.id}", "deid") == "user 1"
    opts = orjson.loads(await client.hget(f"bull:q:{first.id}", "opts") or b"")
    assert opts["debounce"] == {"id": "user 1", "ttl": 60_000}
    assert messages[1] is not None
    assert messages[1]["data"] == first.id
    assert await client.get("bull:q:id") == "2"  # Bull counts every add


async def test_a_debounce_without_a_time_ends_with_its_job(
    queue: Queue, client: redis.asyncio.Redis, working: Working, counted: Counted
) -> None:
    async def fail(_job: Job) -> None:
        raise Unrecoverable("no")

    await queue.add("good", debounce=Debounce(id="a"))
    await queue.add("bad", debounce=Debounce(id="b"))
    await queue.add("gone", debounce=Debounce(id="c"), remove_on_complete=True)
    removed = await queue.add("removed", debounce=Debounce(id="d"), delay=60)
    assert len(await client.keys("bull:q:de:*")) == 4

    await queue.remove(removed.id)
    async with working({"good": _idle, "gone": _idle, "bad": fail}):
        await counted(completed=1, failed=1)

    assert await client.keys("bull:q:de:*") == []


async def test_a_job_that_will_be_retried_keeps_its_debounce(
    queue: Queue, client: redis.asyncio.Redis, working: Working, counted: Counted
) -> None:
    async def fail(_job: Job) -> None:
        raise OSError("again")

    job = await queue.add("x", attempts=2, backoff=60, debounce=Debounce(id="a"))
    async with working({"x": fail}):
        await counted(delayed=1)

    assert (await queue.add("x", debounce=Debounce(id="a"))).id == job.id
    assert await client.get("bull:q:de:a") == job.id


async def test_a_debounce_with_a_time_outlives_its_job(
    queue: Queue, client: redis.asyncio.Redis, working: Working, counted: Counted
) -> None:
    job = await queue.add("x", debounce=Debounce(id="a", ttl=60))
    async with working({"x": _idle}):
        await counted(completed=1)

    assert (await queue.add("x", debounce=Debounce(id="a", ttl=60))).id == job.id
    await client.delete("bull:q:de:a")  # as when its time is over
    assert (await queue.add("x", debounce=Debounce(id="a", ttl=60))).id != job.id


async def test_a_job_that_was_given_up_with_its_worker_frees_its_debounce(
    queue: Queue, client: redis.asyncio.Redis, working: Working, counted: Counted
) -> None:
    job = await queue.add("x", debounce=Debounce(id="a"))
    # As a dead worker of Node's leaves it, once too often.
    await client.lmove("bull:q:wait", "bull:q:active", "RIGHT", "LEFT")
    await client.hset(f"bull:q:{job.id}", mapping={"stalledCounter": 9, "processedOn": 1})

    async with working({"y": _idle}):
        await counted(failed=1)

    assert await client.exists("bull:q:de:a") == 0


@pytest.mark.parametrize("left", ["finished", "gone"])
async def test_an_id_that_was_left_behind_holds_nobody_up(queue: Queue, client: redis.asyncio.Redis, left: str) -> None:
    await client.set("bull:q:de:a", "77")
    if left == "finished":
        await client.hset("bull:q:77", mapping={"name": "x", "data": "1", "opts": "{}", "finishedOn": "5"})

    job = await queue.add("x", debounce=Debounce(id="a"))

    assert job.id != "77"
    assert await client.get("bull:q:de:a") == job.id
    assert (await queue.counts())["wait"] == 1


async def test_replacing_gives_the_newest_data_and_starts_the_delay_anew(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    first = await queue.add("save", 1, delay=100, attempts=1, debounce=Debounce(id="doc", replace=True, ttl=200))
    await client.pexpire("bull:q:de:doc", 5_000)
    due = await client.zscore("bull:q:delayed", first.id)

    second = await queue.add("save", 2, delay=300, attempts=4, debounce=Debounce(id="doc", replace=True, ttl=200))

    assert (second.id, second.data, second.opts["attempts"], second.opts["delay"]) == (first.id, 2, 4, 300_000)
    later = await client.zscore("bull:q:delayed", first.id)
    assert due is not None
    assert later is not None
    assert 190_000 < (later - due) / 4096 < 260_000
    assert await client.pttl("bull:q:de:doc") > 100_000
    assert await queue.counts() == dict.fromkeys(await queue.counts(), 0) | {"delayed": 1}


async def test_replacing_what_waits_leaves_it_its_place_in_the_line(queue: Queue) -> None:
    first = await queue.add("save", "old", debounce=Debounce(id="doc", replace=True))
    await queue.add("other")

    await queue.add("save", "new", debounce=Debounce(id="doc", replace=True))

    assert [(job.id, job.data) for job in await queue.jobs("wait")] == [(first.id, "new"), ("2", None)]


async def test_replacing_what_has_begun_adds_the_newest_once(
    queue: Queue, client: redis.asyncio.Redis, working: Working, counted: Counted
) -> None:
    ran: list[int] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def save(job: Job) -> None:
        ran.append(job.data)
        begun.set()
        await go_on.wait()

    first = await queue.add("save", 1, debounce=Debounce(id="doc", replace=True))
    async with working({"save": save}, concurrency=1):
        await begun.wait()
        added = [await queue.add("save", n, debounce=Debounce(id="doc", replace=True)) for n in (2, 3, 4)]
        go_on.set()
        await counted(completed=2)

    assert len({job.id for job in added}) == 1
    assert added[0].id != first.id
    assert ran == [1, 4]
    assert await client.keys("bull:q:de:*") == []


async def test_the_end_of_an_earlier_job_leaves_the_debounce_of_a_later_one(
    queue: Queue, client: redis.asyncio.Redis, working: Working, counted: Counted
) -> None:
    go_on, begun = asyncio.Event(), asyncio.Event()

    async def save(_job: Job) -> None:
        begun.set()
        await go_on.wait()

    await queue.add("save", debounce=Debounce(id="doc", replace=True))
    async with working({"save": save}):
        await begun.wait()
        later = await queue.add("save", delay=60, debounce=Debounce(id="doc", replace=True))
        go_on.set()
        await counted(completed=1, delayed=1)

    assert await client.get("bull:q:de:doc") == later.id


async def test_fifty_adds_at_once_make_one_job(queue: Queue) -> None:
    jobs = await asyncio.gather(*(queue.add("x", n, debounce=Debounce(id="a")) for n in range(50)))

    assert len({job.id for job in jobs}) == 1
    assert (await queue.counts())["wait"] == 1


async def test_many_jobs_may_be_added_together_some_of_them_debounced(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    await client.hset("bull:q:3", mapping={"name": "theirs"})
    new = [
        NewJob("plain"),
        NewJob("d", 1, debounce=Debounce(id="a")),
        NewJob("named", job_id="j-1"),
        NewJob("d", 2, debounce=Debounce(id="a")),
        NewJob("first", priority=1, debounce=Debounce(id="b")),
        NewJob("named", job_id="j-1", debounce=Debounce(id="c")),
        NewJob("later", delay=60),
    ]

    jobs = await queue.add_many(new)

    assert [job.id for job in jobs] == ["1", "2", "j-1", "2", "6", "j-1", "8"]
    assert [job.name for job in await queue.jobs("wait")] == ["first", "plain", "d", "named"]
    assert [job.name for job in await queue.jobs("delayed")] == ["later"]
    assert await client.keys("bull:q:de:c") == []


async def test_while_paused_a_debounced_job_waits_in_the_paused_list(queue: Queue) -> None:
    await queue.pause()

    await queue.add("x", debounce=Debounce(id="a"))

    assert (await queue.counts())["paused"] == 1


@pytest.mark.parametrize(
    "debounce",
    [Debounce(id=""), Debounce(id="\ud800"), Debounce(id="a", ttl=0), Debounce(id="x" * 257), Debounce(id=5)],  # type: ignore[arg-type]
)
async def test_a_debounce_that_makes_no_sense_keeps_the_job_out(
    queue: Queue, client: redis.asyncio.Redis, debounce: Debounce
) -> None:
    with pytest.raises(BadJob, match="debounce"):
        await queue.add("x", debounce=debounce)

    assert await client.keys("*") == []
