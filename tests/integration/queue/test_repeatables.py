"""Repeatables: set, asked for again, listed, changed, removed, refused."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import redis.asyncio
from tests.integration.queue.repeats import Until, due_at, idle, rewind

from holdfast.queue import BadJob, Job, Queue, QueueUnavailable
from holdfast.queue.client.repeating import LOOK_CHUNK
from holdfast.queue.jobs.repeatables import run_of


async def test_the_first_run_is_a_delayed_job_with_bull_s_key_id_and_options(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    before = datetime.now(UTC)

    set_up = await queue.repeat("__default__", {"a": 1}, every=60, attempts=3)

    due = await due_at(client, "__default__:::60000")
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
    await rewind(client, hourly.key, 3_600_000)
    (job,) = await queue.jobs("delayed")
    await client.hset(f"bull:q:{job.id}", "processedOn", "1")

    await queue.repeat("tick", "new", every=3600)

    runs = {job.data: job.opts["repeat"]["count"] for job in await queue.jobs("delayed")}
    assert runs == {"old": 1, "new": 2}
    assert await due_at(client, hourly.key) == round(hourly.next_run.timestamp() * 1000)


async def test_asking_again_while_a_run_waits_in_the_line_gives_it_the_new_data_there(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    hourly = await queue.repeat("tick", "old", every=3600)
    await rewind(client, hourly.key, 3_600_000)
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
    async with working({"tick": idle}):
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
