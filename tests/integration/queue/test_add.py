"""What producers put into Redis, and how."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import orjson
import pytest
import redis.asyncio

from holdfast.queue import Backoff, BadJob, JobOptions, NewJob, Queue, QueueUnavailable, Retention


async def test_an_added_job_is_a_bull_job_on_bull_s_keys(queue: Queue, client: redis.asyncio.Redis) -> None:
    job = await queue.add("send", {"to": "a"})

    kept = await client.hgetall(f"bull:q:{job.id}")
    assert job.id == "1"
    assert kept["name"] == "send"
    assert orjson.loads(kept["data"]) == {"to": "a"}
    assert orjson.loads(kept["opts"]) == {"attempts": 1, "delay": 0, "timestamp": int(kept["timestamp"])}
    assert (kept["delay"], kept["priority"]) == ("0", "0")
    assert await client.lrange("bull:q:wait", 0, -1) == ["1"]


async def test_options_are_written_as_bull_writes_them(queue: Queue, client: redis.asyncio.Redis) -> None:
    options: dict[str, Any] = {
        "job_id": "mail-1",
        "attempts": 3,
        "backoff": Backoff(type="exponential", delay=timedelta(seconds=2)),
        "delay": 1.5,
        "priority": 2,
        "remove_on_complete": Retention(count=10, age=timedelta(hours=1)),
        "remove_on_fail": 5,
    }

    job = await queue.add("send", None, **options)

    opts = orjson.loads(await client.hget("bull:q:mail-1", "opts") or b"")
    opts.pop("timestamp")
    assert job.id == "mail-1"
    assert opts == {
        "attempts": 3,
        "backoff": {"type": "exponential", "delay": 2000},
        "delay": 1500,
        "priority": 2,
        "removeOnComplete": {"count": 10, "age": 3600},
        "removeOnFail": 5,
        "jobId": "mail-1",
    }


async def test_defaults_of_the_queue_are_sent_with_each_job(redis_url: str) -> None:
    async with Queue("d", url=redis_url, defaults=JobOptions(attempts=4, backoff=1.0)) as queue:
        given = await queue.add("x")
        own = await queue.add("x", attempts=2)

    assert (given.opts["attempts"], own.opts["attempts"]) == (4, 2)
    assert given.opts["backoff"] == {"type": "fixed", "delay": 1000}


async def test_the_same_id_again_adds_nothing_and_gives_the_job_that_is_there(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    async with client.pubsub() as channel:
        await channel.psubscribe("bull:q:duplicated@*")
        first = await queue.add("send", {"n": 1}, job_id="mail-1")

        second = await queue.add("send", {"n": 2}, job_id="mail-1")

        messages = [await channel.get_message(timeout=5) for _ in range(2)]
    assert (first.data, second.data) == ({"n": 1}, {"n": 1})
    assert (await queue.counts())["wait"] == 1
    assert messages[1] is not None
    assert messages[1]["data"] == "mail-1"
    assert await client.get("bull:q:id") == "2"  # Bull counts every add


async def test_a_thousand_jobs_come_back_in_order_with_their_own_numbers(queue: Queue) -> None:
    jobs = await queue.add_many([NewJob("x", n) for n in range(1_001)])

    assert [job.id for job in jobs] == [str(n) for n in range(1, 1_002)]
    assert [job.data for job in await queue.jobs("wait", 0, 2)] == [0, 1, 2]
    assert (await queue.counts())["wait"] == 1_001


async def test_one_bad_job_among_many_keeps_all_of_them_out(queue: Queue) -> None:
    with pytest.raises(BadJob, match="number"):
        await queue.add_many([NewJob("x"), NewJob("x", job_id="17")])

    assert (await queue.counts())["wait"] == 0


async def test_a_number_taken_by_somebody_s_custom_id_is_skipped(queue: Queue, client: redis.asyncio.Redis) -> None:
    await client.hset("bull:q:1", mapping={"name": "theirs"})

    job = await queue.add("ours")

    assert job.id == "2"
    assert await client.hget("bull:q:1", "name") == "theirs"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data": {1, 2}}, "no JSON value"),
        ({"data": "\ud800"}, "no JSON value"),
        ({"data": 2**70}, "no JSON value"),
        ({"attempts": [3]}, "wrong type"),
    ],
)
async def test_what_cannot_be_sent_keeps_the_job_out(queue: Queue, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadJob, match=message):
        await queue.add("x", **fields)

    assert (await queue.counts())["wait"] == 0


async def test_priorities_come_first_best_first_and_in_order_among_equals(queue: Queue) -> None:
    for name, priority in [("plain", 0), ("b1", 2), ("a", 1), ("b2", 2), ("c", 9), ("a2", 1)]:
        await queue.add(name, priority=priority)
    await queue.add("first of all", lifo=True)

    order = [job.name for job in await queue.jobs("wait")]

    assert order == ["first of all", "a", "a2", "b1", "b2", "c", "plain"]


async def test_a_delayed_job_is_scored_as_bull_scores_it(queue: Queue, client: redis.asyncio.Redis) -> None:
    job = await queue.add("later", delay=60)

    score = await client.zscore("bull:q:delayed", job.id)
    assert score is not None
    assert job.timestamp is not None
    due_ms = job.timestamp.timestamp() * 1000 + 60_000
    assert int(score) % 4096 == int(job.id) % 4096
    assert abs(int(score) // 4096 - due_ms) < 1_000
    assert await queue.states([job.id]) == {job.id: "delayed"}


async def test_while_paused_jobs_gather_in_the_paused_list_and_return_in_order(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    await queue.add("a")
    await queue.pause()
    await queue.add("b")
    assert await client.get("bull:q:meta-paused") == "1"
    assert (await queue.counts())["paused"] == 2
    assert [job.name for job in await queue.jobs("paused")] == ["a", "b"]

    await queue.resume()

    assert [job.name for job in await queue.jobs("wait")] == ["a", "b"]
    assert await client.exists("bull:q:meta-paused", "bull:q:paused") == 0


async def test_a_list_that_another_client_filled_is_not_overwritten_by_pausing(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    await queue.add("ours")
    await client.hset("bull:q:theirs", mapping={"name": "theirs"})
    await client.lpush("bull:q:paused", "theirs")

    await queue.pause()

    assert {job.name for job in await queue.jobs("paused")} == {"ours", "theirs"}


async def test_concurrent_adds_of_one_id_make_one_job(queue: Queue) -> None:
    jobs = await asyncio.gather(*(queue.add("x", n, job_id="same") for n in range(20)))

    assert len({job.data for job in jobs}) == 1
    assert (await queue.counts())["wait"] == 1


async def test_a_producer_hears_within_its_limit_that_redis_is_away() -> None:
    async with Queue("q", url="redis://127.0.0.1:1", max_wait=0.3) as queue:
        with pytest.raises(QueueUnavailable, match=r"0\.3 s"):
            await queue.add("x", job_id="j-1")


async def test_states_tell_where_each_job_is_and_which_has_been_lost_from_every_list(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    await queue.add("x", job_id="waiting")
    await queue.add("x", job_id="later", delay=60)
    await queue.add("x", job_id="orphaned", lifo=True)
    await client.rpop("bull:q:wait")

    assert await queue.states(["waiting", "later", "orphaned", "unknown"]) == {
        "waiting": "wait",
        "later": "delayed",
        "orphaned": "orphan",
        "unknown": None,
    }
    assert await queue.remove("orphaned")
    assert await queue.states(["orphaned"]) == {"orphaned": None}
    assert not await queue.remove("orphaned")


async def test_an_id_that_cannot_be_sent_leaves_every_later_reply_in_its_place(queue: Queue) -> None:
    job = await queue.add("x")

    for call in (queue.get("\ud800"), queue.remove("\ud800"), queue.states([None])):  # type: ignore[list-item]
        with pytest.raises(BadJob, match="cannot be sent"):
            await call

    assert (await queue.counts())["wait"] == 1
    assert await queue.states([job.id]) == {job.id: "wait"}


@pytest.mark.parametrize(
    "fields", [{"name": "\ud800"}, {"name": 5}, {"name": "x", "job_id": "j-\ud800"}, {"name": "x", "job_id": 5}]
)
async def test_a_name_or_an_id_that_is_no_text_keeps_the_job_out(queue: Queue, fields: dict[str, Any]) -> None:
    with pytest.raises(BadJob):
        await queue.add(**fields)

    assert (await queue.counts())["wait"] == 0


@pytest.mark.parametrize("plain", [0, 40, 400])
async def test_prioritized_jobs_stand_before_the_others_in_their_order_however_many_wait(
    queue: Queue, plain: int
) -> None:
    rng = random.Random(plain)
    priorities = [rng.randint(1, 5) for _ in range(45)]
    await queue.add_many([NewJob("plain", n) for n in range(plain)])

    for n, priority in enumerate(priorities):
        await queue.add("urgent", n, priority=priority)

    waiting = await queue.jobs("wait")
    in_order = sorted(range(len(priorities)), key=lambda n: (priorities[n], n))
    assert [job.data for job in waiting] == [*in_order, *range(plain)]
