"""Jobs that run again and again: set, taken, armed again, never silently stopped."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import redis.asyncio
import structlog.testing

from holdfast.queue import BadJob, Job, Queue, QueueUnavailable
from holdfast.queue.client import repeating as repeating_module
from holdfast.queue.client.repeating import LOOK_CHUNK
from holdfast.queue.jobs.repeatables import run_of, stem_of

Until = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
DAY_MS = 86_400_000


@pytest.fixture
def fast_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers look for repeatables without a next run all the time."""
    monkeypatch.setattr(repeating_module, "CHECK_INTERVAL", 0.05)


async def _idle(_job: Job) -> None:
    pass


async def _due(client: redis.asyncio.Redis, key: str) -> int:
    score = await client.zscore("bull:q:repeat", key)
    assert score is not None
    return int(score)


async def test_the_first_run_is_a_delayed_job_with_bull_s_key_id_and_options(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    before = datetime.now(UTC)

    set_up = await queue.repeat("__default__", {"a": 1}, every=60, attempts=3)

    due = await _due(client, "__default__:::60000")
    job_id = f"repeat:81f4b91a20baeebcad3503743cded6d3:{due}"
    kept = await client.hgetall(f"bull:q:{job_id}")
    opts = orjson.loads(kept["opts"])
    assert due % 60_000 == 0
    assert before < set_up.next_run <= before + timedelta(seconds=61)
    assert int(await client.zscore("bull:q:delayed", job_id) or 0) // 4096 == due
    assert await client.zcard("bull:q:delayed") == 1
    assert opts.pop("timestamp") == int(kept["timestamp"])
    assert opts == {
        "repeat": {"count": 1, "key": "__default__:::60000", "every": 60_000},
        "jobId": job_id,
        "delay": int(kept["delay"]),
        "prevMillis": due,
        "attempts": 3,
    }
    assert (kept["name"], kept["data"], kept["priority"]) == ("__default__", '{"a":1}', "0")


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
    late = await _rewind(client, hourly.key, 5 * 3_600_000)

    async with working({"tick": note}):

        async def armed() -> bool:
            return await _due(client, hourly.key) > late

        await until(armed)
        await until(lambda: _is(bool(ran)))

    assert ran == [late]
    assert await _due(client, hourly.key) == round(hourly.next_run.timestamp() * 1000)
    assert (await queue.counts())["delayed"] == 1


async def _rewind(client: redis.asyncio.Redis, key: str, by_ms: int) -> int:
    """Make it as if the next run had been due so much earlier; returns when that was."""
    due = await _due(client, key)
    (old,) = await client.zrange("bull:q:delayed", 0, -1)
    stem, earlier = old.rpartition(":")[0], due - by_ms
    new = f"{stem}:{earlier}"
    opts = orjson.loads(await client.hget(f"bull:q:{old}", "opts") or b"")
    await client.hset(f"bull:q:{old}", "opts", orjson.dumps(opts | {"jobId": new, "prevMillis": earlier}))
    await client.rename(f"bull:q:{old}", f"bull:q:{new}")
    await client.zrem("bull:q:delayed", old)
    await client.zadd("bull:q:delayed", {new: earlier * 4096})
    await client.zadd("bull:q:repeat", {key: earlier})
    return earlier


@pytest.mark.usefixtures("fast_looks")
async def test_a_run_that_was_removed_by_hand_comes_back_at_its_time(
    queue: Queue, client: redis.asyncio.Redis, working: Callable[..., Any], until: Until
) -> None:
    yearly = await queue.repeat("tick", {"n": 1}, cron="0 3 1 1 *", limit=7)
    (job,) = await queue.jobs("delayed")

    await queue.remove(job.id)

    async with working({"tick": _idle}):
        back = await until(lambda: queue.get(job.id))
    assert (back.data, back.opts["repeat"]["count"]) == ({"n": 1}, 1)
    assert await _due(client, yearly.key) == round(yearly.next_run.timestamp() * 1000)
    assert await queue.states([job.id]) == {job.id: "delayed"}


@pytest.mark.usefixtures("fast_looks")
async def test_a_worker_killed_between_taking_and_arming_stops_nothing(
    queue: Queue, client: redis.asyncio.Redis, working: Callable[..., Any], until: Until
) -> None:
    hourly = await queue.repeat("tick", every=3600)
    late = await _rewind(client, hourly.key, 3_600_000)
    (job,) = await queue.jobs("delayed")
    await client.zrem("bull:q:delayed", job.id)
    await client.hset(f"bull:q:{job.id}", mapping={"processedOn": late, "finishedOn": late, "returnvalue": "null"})
    await client.zadd("bull:q:completed", {job.id: late})

    async with working({"tick": _idle}):

        async def armed() -> bool:
            return await _due(client, hourly.key) > late

        await until(armed)

    assert await _due(client, hourly.key) == round(hourly.next_run.timestamp() * 1000)
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
    async with working({"n:x": _idle}):
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
        async with working({"odd": _idle, "tick": _idle}):
            tick = await queue.repeat("tick", every=3600)
            (job,) = await queue.jobs("delayed")
            await queue.remove(job.id)
            await until(lambda: queue.get(job.id))
            await until(lambda: _is(len(_told(logs)) >= 5))

    told = _told(logs)
    assert sorted(told) == [broken, bad, "lonely:::60000", "nonsense", "odd"]
    assert (lonely.name, nonsense.name, lonely.data) == ("lonely", "nonsense", None)
    assert [each.key for each in await queue.repeatables()] == ["lonely:::60000", "nonsense", bad, broken, tick.key]


async def test_a_repeatable_that_others_keep_changing_is_given_up_with_a_clear_error(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def moved(*_args: Any) -> str:
        return "moved"

    monkeypatch.setattr(queue._scripts, "arm", moved)

    with pytest.raises(QueueUnavailable, match="keep changing"):
        await queue.repeat("tick", every=60)


async def test_more_repeatables_than_one_look_sees_are_all_listed(queue: Queue) -> None:
    for n in range(LOOK_CHUNK + 3):
        await queue.repeat("tick", n, every=3600, job_id=f"j-{n}")

    assert sorted(each.data for each in await queue.repeatables()) == list(range(LOOK_CHUNK + 3))


@pytest.mark.usefixtures("fast_looks")
@pytest.mark.parametrize("place", ["wait", "paused", "parked"])
async def test_a_run_that_waits_for_its_turn_is_waited_for(
    queue: Queue, client: redis.asyncio.Redis, working: Callable[..., Any], until: Until, place: str
) -> None:
    hourly = await queue.repeat("tick", every=3600)
    late = await _rewind(client, hourly.key, 3_600_000)
    (job,) = await queue.jobs("delayed")
    await client.delete("bull:q:delayed", f"bull:q:schedule:{hourly.key}")
    await (client.zadd("bull:q:parked", {job.id: 1}) if place == "parked" else client.lpush(f"bull:q:{place}", job.id))
    await queue.pause()

    async with working({"tick": _idle}):
        await until(lambda: client.exists(f"bull:q:schedule:{hourly.key}"))  # it was looked at

    assert await _due(client, hourly.key) == late
    assert (await queue.counts())["delayed"] == 0


async def test_asking_again_changes_the_runs_to_come_and_not_their_number(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    for n in range(3):
        await queue.repeat("tick", {"n": n}, every=3600, attempts=n + 1)

    (job,) = await queue.jobs("delayed")
    assert (job.data, job.opts["attempts"], job.opts["repeat"]["count"]) == ({"n": 2}, 3, 1)
    assert await client.zcard("bull:q:repeat") == 1


async def test_twenty_programs_that_start_at_once_set_one_run(queue: Queue) -> None:
    await asyncio.gather(*(queue.repeat("tick", n, cron="0 0 1 1 *") for n in range(20)))

    assert (await queue.counts())["delayed"] == 1
    assert len(await queue.repeatables()) == 1


async def test_asking_again_while_a_run_is_under_way_sets_the_next_with_the_new_data(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    hourly = await queue.repeat("tick", "old", every=3600)
    await _rewind(client, hourly.key, 3_600_000)
    (job,) = await queue.jobs("delayed")
    await client.hset(f"bull:q:{job.id}", "processedOn", "1")

    await queue.repeat("tick", "new", every=3600)

    runs = {job.data: job.opts["repeat"]["count"] for job in await queue.jobs("delayed")}
    assert runs == {"old": 1, "new": 2}
    assert await _due(client, hourly.key) == round(hourly.next_run.timestamp() * 1000)


async def test_asking_again_while_a_run_waits_in_the_line_gives_it_the_new_data_there(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    hourly = await queue.repeat("tick", "old", every=3600)
    await _rewind(client, hourly.key, 3_600_000)
    (job,) = await queue.jobs("delayed")
    await client.zrem("bull:q:delayed", job.id)
    await client.lpush("bull:q:wait", job.id)

    await queue.repeat("tick", "new", every=3600)

    assert [(each.id, each.data) for each in await queue.jobs("wait")] == [(job.id, "new")]
    assert (await queue.counts())["delayed"] == 0


async def test_asking_again_does_not_begin_to_count_anew(
    queue: Queue, working: Callable[..., Any], until: Until
) -> None:
    async def second_run_is_set() -> bool:
        return [each.count for each in await queue.repeatables()] == [2]

    await queue.repeat("tick", every=3600, limit=9, immediately=True)
    async with working({"tick": _idle}):
        await until(second_run_is_set)

    again = await queue.repeat("tick", every=3600, limit=9)

    assert again.count == 2


async def test_asking_again_mends_a_run_whose_options_somebody_broke(queue: Queue, client: redis.asyncio.Redis) -> None:
    await queue.repeat("tick", every=3600)
    (job,) = await queue.jobs("delayed")
    await client.hset(f"bull:q:{job.id}", "opts", "{}")

    again = await queue.repeat("tick", every=3600)

    assert again.count == 1
    assert [each.opts["repeat"]["count"] for each in await queue.jobs("delayed")] == [1]


async def test_a_run_that_is_taken_just_now_is_not_changed_any_more(queue: Queue, client: redis.asyncio.Redis) -> None:
    tick = await queue.repeat("tick", "old", every=3600)
    (job,) = await queue.jobs("delayed")
    run = run_of("tick", b'"new"', (await client.hget(f"bull:q:{job.id}", "opts") or "").encode())
    await client.hset(f"bull:q:{job.id}", "processedOn", "1")

    word = await queue._scripts.arm("me", tick.key, run.due_ms, run, 1)

    assert word == "moved"
    assert (await queue.jobs("delayed"))[0].data == "old"


async def test_repeatables_tell_what_was_asked_for_the_next_first(queue: Queue) -> None:
    end = datetime(2190, 1, 1, tzinfo=UTC)
    yearly = await queue.repeat("a:b", cron="0 3 1 1 *", tz="Europe/Warsaw", end_date=end, limit=9, job_id="x:y")
    soon = await queue.repeat("tick", [1], every=timedelta(minutes=1))

    listed = await queue.repeatables()

    assert listed == [soon, yearly]
    assert (yearly.name, yearly.job_id, yearly.end_date, yearly.limit, yearly.count) == ("a:b", "x:y", end, 9, 1)
    assert (soon.every, soon.data, soon.cron) == (timedelta(minutes=1), [1], None)


async def test_what_is_removed_runs_no_more_though_a_run_was_taken(
    queue: Queue, client: redis.asyncio.Redis, working: Callable[..., Any], counted: Callable[..., Awaitable[None]]
) -> None:
    begun, removed = asyncio.Event(), asyncio.Event()

    async def wait(_job: Job) -> None:
        begun.set()
        await removed.wait()

    tick = await queue.repeat("tick", every=3600, immediately=True)
    async with working({"tick": wait}):
        await begun.wait()
        assert await queue.remove_repeatable(tick)
        removed.set()
        await counted(completed=1)

    assert await client.keys("bull:q:*repeat*") == [f"bull:q:{(await queue.jobs('completed'))[0].id}"]
    assert not await queue.remove_repeatable(tick)
    assert not await queue.remove_repeatable("nonsense")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "either cron or every"),
        ({"cron": "* * * * *", "every": 1}, "either cron or every"),
        ({"cron": "61 * * * *"}, "no cron expression"),
        ({"cron": "* * * *"}, "no cron expression"),
        ({"cron": 5}, "a str"),
        ({"cron": "0 0 31 2 *"}, "no cron expression"),
        ({"cron": "0 3 * * *", "tz": "Mars/Olympus"}, "time zone"),
        ({"cron": "0 0 */31 * MON#5"}, "no run to come"),
        ({"cron": "0 3 * * *", "tz": "../x"}, "time zone"),
        ({"every": 0}, "millisecond"),
        ({"every": -1}, "every"),
        ({"every": 1, "tz": "UTC"}, "tz"),
        ({"every": 1, "delay": 5}, "delay"),
        ({"every": 1, "limit": 0}, "limit"),
        ({"every": 1, "job_id": ""}, "job_id"),
        ({"every": 1, "end_date": datetime(2020, 1, 1, tzinfo=UTC)}, "no run to come"),
        ({"every": 1, "limit": 3, "count": 3}, "no run to come"),
        ({"every": 1, "start_date": datetime(2020, 1, 1)}, "time zone"),  # noqa: DTZ001 - that is the point
        ({"every": 1, "attempts": 0}, "attempts"),
    ],
)
async def test_a_repeatable_that_makes_no_sense_is_refused_and_leaves_nothing(
    queue: Queue, client: redis.asyncio.Redis, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadJob, match=message):
        await queue.repeat("tick", **fields)

    assert await client.keys("*") == []
