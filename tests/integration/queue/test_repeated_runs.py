"""Runs of repeatables: each sets the next, and none is lost, whoever dies, waits or meddles."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import pytest
import redis.asyncio
import structlog.testing
from tests.integration.queue.repeats import Until, due_at, idle, rewind

from holdfast.queue import Job, Queue
from holdfast.queue.client import repeating as repeating_module
from holdfast.queue.jobs.repeatables import stem_of


@pytest.fixture
def fast_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers look for repeatables without a next run all the time."""
    monkeypatch.setattr(repeating_module, "CHECK_INTERVAL", 0.05)


async def test_each_run_is_followed_by_the_next_until_the_limit(
    queue: Queue, client: redis.asyncio.Redis, working: Callable[..., Any], until: Until
) -> None:
    counts: list[int] = []

    async def note(job: Job) -> None:
        counts.append(job.opts["repeat"]["count"])

    await queue.repeat("tick", every=0.2, limit=3, immediately=True)

    async with working({"tick": note}):

        async def over() -> bool:
            return not await client.exists("bull:q:repeat")

        await until(over)
        await until(lambda: _is(len(counts) == 3))

    assert counts == [1, 2, 3]
    assert await queue.repeatables() == []
    assert await client.keys("bull:q:schedule:*") == []
    assert (await queue.counts())["delayed"] == 0


async def _is(value: bool) -> bool:
    return value


async def test_two_workers_and_a_retry_arm_each_run_once(
    queue: Queue, client: redis.asyncio.Redis, working: Callable[..., Any], until: Until
) -> None:
    ran: list[str] = []

    async def fail_once(job: Job) -> None:
        ran.append(job.id)
        if job.attempts_made == 0:
            raise OSError("again")

    await queue.repeat("tick", every=0.1, attempts=2)

    async with working({"tick": fail_once}), working({"tick": fail_once}):
        await until(lambda: _is(len(ran) >= 10))
        assert await client.zcard("bull:q:repeat") == 1

    assert all(ran.count(job_id) <= 2 for job_id in ran)
    assert await client.zcard("bull:q:delayed") <= 2


async def test_after_hours_without_a_worker_one_run_makes_up_for_all(
    queue: Queue, client: redis.asyncio.Redis, working: Callable[..., Any], until: Until
) -> None:
    ran: list[int] = []

    async def note(job: Job) -> None:
        ran.append(job.opts["prevMillis"])

    hourly = await queue.repeat("tick", every=3600)
    late = await rewind(client, hourly.key, 5 * 3_600_000)

    async with working({"tick": note}):

        async def armed() -> bool:
            return await due_at(client, hourly.key) > late

        await until(armed)
        await until(lambda: _is(bool(ran)))

    assert ran == [late]
    assert await due_at(client, hourly.key) == round(hourly.next_run.timestamp() * 1000)
    assert (await queue.counts())["delayed"] == 1


@pytest.mark.usefixtures("fast_looks")
async def test_a_run_that_was_removed_by_hand_comes_back_at_its_time(
    queue: Queue, client: redis.asyncio.Redis, working: Callable[..., Any], until: Until
) -> None:
    yearly = await queue.repeat("tick", {"n": 1}, cron="0 3 1 1 *", limit=7)
    (job,) = await queue.jobs("delayed")

    await queue.remove(job.id)

    async with working({"tick": idle}):
        back = await until(lambda: queue.get(job.id))
    assert (back.data, back.opts["repeat"]["count"]) == ({"n": 1}, 1)
    assert await due_at(client, yearly.key) == round(yearly.next_run.timestamp() * 1000)
    assert await queue.states([job.id]) == {job.id: "delayed"}


@pytest.mark.usefixtures("fast_looks")
async def test_a_worker_killed_between_taking_and_arming_stops_nothing(
    queue: Queue, client: redis.asyncio.Redis, working: Callable[..., Any], until: Until
) -> None:
    hourly = await queue.repeat("tick", every=3600)
    late = await rewind(client, hourly.key, 3_600_000)
    (job,) = await queue.jobs("delayed")
    await client.zrem("bull:q:delayed", job.id)
    await client.hset(f"bull:q:{job.id}", mapping={"processedOn": late, "finishedOn": late, "returnvalue": "null"})
    await client.zadd("bull:q:completed", {job.id: late})

    async with working({"tick": idle}):

        async def armed() -> bool:
            return await due_at(client, hourly.key) > late

        await until(armed)

    assert await due_at(client, hourly.key) == round(hourly.next_run.timestamp() * 1000)
    assert [job.opts["repeat"]["count"] for job in await queue.jobs("delayed")] == [2]


@pytest.mark.usefixtures("fast_looks")
async def test_what_node_set_is_kept_going_too(
    queue: Queue, client: redis.asyncio.Redis, working: Callable[..., Any], until: Until
) -> None:
    # As Node's Bull 4.16.5 wrote it, but for the year.
    due = 4_102_455_600_000
    key, job_id = "n:x:j:k::Europe/Warsaw:0 3 * * *", f"repeat:61bdba39a2696a6661071fff57b3ba23:{due}"
    opts = {
        "repeat": {"count": 1, "key": key, "cron": "0 3 * * *", "tz": "Europe/Warsaw", "jobId": "j:k"},
        "jobId": job_id,
        "delay": 473_672,
        "timestamp": due - 473_672,
        "prevMillis": due,
        "attempts": 1,
    }
    fields = {"name": "n:x", "data": '{"a":1}', "opts": orjson.dumps(opts), "timestamp": due - 473_672}
    await client.hset(f"bull:q:{job_id}", mapping=fields | {"delay": 473_672, "priority": 0})
    await client.zadd("bull:q:delayed", {job_id: due * 4096 + 1})
    await client.zadd("bull:q:repeat", {key: due})

    (listed,) = await queue.repeatables()
    async with working({"n:x": idle}):
        await until(lambda: client.exists(f"bull:q:schedule:{key}"))
        assert await client.hget(f"bull:q:{job_id}", "opts") == orjson.dumps(opts).decode()
        await queue.remove(job_id)
        back = await until(lambda: queue.get(job_id))

    assert (listed.name, listed.job_id, listed.tz, listed.cron) == ("n:x", "j:k", "Europe/Warsaw", "0 3 * * *")
    assert back.data == {"a": 1}
    assert await queue.remove_repeatable(key)
    assert await client.exists("bull:q:repeat", "bull:q:delayed", f"bull:q:{job_id}", f"bull:q:schedule:{key}") == 0


def _told(logs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [log["key"] for log in logs if log["event"] == "repeatable cannot be kept going"]


@pytest.mark.usefixtures("fast_looks")
async def test_what_cannot_be_kept_going_is_told_of_once_and_holds_nothing_up(
    queue: Queue, client: redis.asyncio.Redis, working: Callable[..., Any], until: Until
) -> None:
    key, job_id = "odd:::", "repeat:5d2e2a9b8e5c7d1f0a3b4c5d6e7f8091:5"
    opts = {"repeat": {"count": 1, "key": key, "cron": "when I like"}, "jobId": job_id, "prevMillis": 5}
    await client.hset(f"bull:q:{job_id}", mapping={"name": "odd", "data": "1", "opts": orjson.dumps(opts)})
    await client.lpush("bull:q:wait", job_id)
    await client.zadd("bull:q:repeat", {"lonely:::60000": 5, "nonsense": 6})
    # Node's: one whose expression means nothing here, one whose options somebody broke.
    fields = {"name": "bad", "data": "1", "processedOn": 7}
    bad, broken = "bad::::when I like", "bad:::5000"
    rule = {"repeat": {"count": 1, "key": bad, "cron": "when I like"}, "jobId": f"{stem_of('bad', None, bad)}:7"}
    await client.hset(f"bull:q:{rule['jobId']}", mapping=fields | {"opts": orjson.dumps(rule | {"prevMillis": 7})})
    await client.hset(f"bull:q:{stem_of('bad', None, broken)}:8", mapping=fields | {"opts": "{}"})
    await client.zadd("bull:q:repeat", {bad: 7, broken: 8})
    lonely, nonsense, *_ = await queue.repeatables()

    with structlog.testing.capture_logs() as logs:
        async with working({"odd": idle, "tick": idle}):
            tick = await queue.repeat("tick", every=3600)
            (job,) = await queue.jobs("delayed")
            await queue.remove(job.id)
            await until(lambda: queue.get(job.id))
            await until(lambda: _is(len(_told(logs)) >= 5))

    told = _told(logs)
    assert sorted(told) == [broken, bad, "lonely:::60000", "nonsense", "odd"]
    assert (lonely.name, nonsense.name, lonely.data) == ("lonely", "nonsense", None)
    assert [each.key for each in await queue.repeatables()] == ["lonely:::60000", "nonsense", bad, broken, tick.key]


@pytest.mark.usefixtures("fast_looks")
@pytest.mark.parametrize("place", ["wait", "paused", "parked"])
async def test_a_run_that_waits_for_its_turn_is_waited_for(
    queue: Queue, client: redis.asyncio.Redis, working: Callable[..., Any], until: Until, place: str
) -> None:
    hourly = await queue.repeat("tick", every=3600)
    late = await rewind(client, hourly.key, 3_600_000)
    (job,) = await queue.jobs("delayed")
    await client.delete("bull:q:delayed", f"bull:q:schedule:{hourly.key}")
    await (client.zadd("bull:q:parked", {job.id: 1}) if place == "parked" else client.lpush(f"bull:q:{place}", job.id))
    await queue.pause()

    async with working({"tick": idle}):
        await until(lambda: client.exists(f"bull:q:schedule:{hourly.key}"))  # it was looked at

    assert await due_at(client, hourly.key) == late
    assert (await queue.counts())["delayed"] == 0
