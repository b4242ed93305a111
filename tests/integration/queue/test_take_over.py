"""Who may have a job whose worker was lost, or whom Redis forgot."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis

from holdfast.queue import NewJob, Queue
from holdfast.queue.link.connection import Link
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import PresenceScripts, RecoveryRules, Result, Scripts

LOCK_MS = 60_000


def _rules(max_stalled: int) -> RecoveryRules:
    return RecoveryRules(interval_ms=0, quiet_ms=0, grace_ms=0, max_stalled=max_stalled)


@pytest.fixture
async def scripts(queue: Queue) -> AsyncIterator[Scripts]:
    link = Link(queue.finder, reporter=Reporter())
    yield Scripts(link, queue.keys)
    await link.close()


@pytest.fixture
def thread(queue: Queue) -> Iterator[PresenceScripts]:
    """What the lock-keeping thread of a worker calls."""
    with redis.Redis.from_url(queue.url) as client:
        yield PresenceScripts(client, queue.keys)


async def _take(scripts: Scripts, token: str) -> tuple[str, str, bytes, int]:
    (row,) = await scripts.take(1, token, LOCK_MS, announce=False)
    return row[-1].decode(), token, row[2], int(row[3] or 0)


async def test_a_running_job_is_claimed_from_wherever_it_waits(
    queue: Queue, scripts: Scripts, thread: PresenceScripts, client: Any
) -> None:
    held = []
    for n in range(3):
        await queue.add("x")
        held.append(await _take(scripts, f"a:{n}"))
    await client.flushdb()
    for job_id, _, opts, _ in held:
        await client.hset(f"bull:q:{job_id}", mapping={"name": "x", "opts": opts})
    await client.rpush("bull:q:wait", "1", "2")
    await client.zadd("bull:q:priority", {"2": 3})
    await client.zadd("bull:q:delayed", {"3": 10**15})

    assert thread.reclaim(LOCK_MS, held) == ["ok"] * 3

    assert await client.lrange("bull:q:active", 0, -1) == ["3", "2", "1"]
    assert await client.exists("bull:q:wait", "bull:q:delayed", "bull:q:priority") == 0
    assert [await client.get(f"bull:q:{n}:lock") for n in (1, 2, 3)] == ["a:0", "a:1", "a:2"]
    words, _ = await scripts.complete(
        [Result(job_id, token, b"1", "", "") for job_id, token, *_ in held], limit=0, token="", lock_ms=1
    )
    assert words == ["ok"] * 3


async def test_a_job_is_not_claimed_when_it_is_another_s_or_another_one(
    queue: Queue, scripts: Scripts, thread: PresenceScripts, client: Any
) -> None:
    await queue.add("x", attempts=5)
    mine = await _take(scripts, "a:1")

    async def claimed_after(*commands: tuple[Any, ...]) -> str:
        for command in commands:
            await client.execute_command(*command)
        return thread.reclaim(LOCK_MS, [mine])[0]

    key, lock = "bull:q:1", "bull:q:1:lock"
    assert await claimed_after() == "ok"
    assert await claimed_after(("SET", lock, "b:1")) == "lock_lost"
    assert await claimed_after(("SET", lock, "a:2")) == "lock_lost"  # a later take of the same worker
    assert await claimed_after(("SET", lock, "a:0")) == "ok"
    assert await claimed_after(("DEL", lock), ("HSET", key, "owner", "b:1")) == "lock_lost"
    assert await claimed_after(("HSET", key, "owner", "a:1", "attemptsMade", "1")) == "lock_lost"
    assert await claimed_after(("HSET", key, "attemptsMade", "0")) == "ok"
    assert await claimed_after(("ZADD", "bull:q:failed", 1, "1")) == "lock_lost"
    assert await claimed_after(("ZREM", "bull:q:failed", "1"), ("ZADD", "bull:q:completed", 1, "1")) == "lock_lost"
    assert await claimed_after(("ZREM", "bull:q:completed", "1"), ("HSET", key, "opts", "{}")) == "lock_lost"
    assert await claimed_after(("DEL", key)) == "missing"


async def test_only_what_a_worker_holds_and_does_not_run_is_put_back(
    queue: Queue, scripts: Scripts, thread: PresenceScripts, client: Any
) -> None:
    ids = [job.id for job in await queue.add_many([NewJob("x") for _ in range(1_203)])]
    await scripts.take(1_200, "a:1", LOCK_MS, announce=False)
    await scripts.take(1, "aa:2", LOCK_MS, announce=False)
    await scripts.take(1, "a:3", LOCK_MS, announce=False)
    await client.delete(f"bull:q:{ids[1201]}:lock")  # ran out; its owner is known all the same
    await client.lpush("bull:q:active", await client.rpop("bull:q:wait"))  # as Node's BRPOPLPUSH

    back = thread.strays("a", [ids[0], ids[700]])

    assert sorted(back, key=int) == sorted(set(ids[:1200]) - {ids[0], ids[700]} | {ids[1201]}, key=int)
    assert set(await client.lrange("bull:q:active", 0, -1)) == {ids[0], ids[700], ids[1200], ids[1202]}
    assert await client.get(f"bull:q:{ids[1200]}:lock") == "aa:2"
    assert await client.exists(*(f"bull:q:{job_id}:lock" for job_id in back)) == 0


async def test_take_overs_with_new_progress_cost_nothing_up_to_ten_times_the_limit(
    queue: Queue, scripts: Scripts
) -> None:
    await queue.add("x")
    for n in range(20):
        held = await _take(scripts, f"d:{n}")
        await scripts.progress(held[0], held[1], b"%d" % n, back=False)
        assert [job.to for job in await scripts.recover(_rules(2))] == ["wait"]

    held = await _take(scripts, "d:20")
    await scripts.progress(held[0], held[1], b"20", back=False)

    assert [job.to for job in await scripts.recover(_rules(2))] == ["failed"]


async def test_take_overs_without_new_progress_are_counted_across_those_with(queue: Queue, scripts: Scripts) -> None:
    await queue.add("x")
    fates = []
    for n, progress in enumerate((1, 1, 2, 2, 2)):
        held = await _take(scripts, f"d:{n}")
        await scripts.progress(held[0], held[1], b"%d" % progress, back=False)
        fates += [job.to for job in await scripts.recover(_rules(2))]

    assert fates == ["wait", "wait", "wait", "wait", "failed"]


async def test_a_job_retried_by_hand_begins_to_count_anew(queue: Queue, scripts: Scripts) -> None:
    job = await queue.add("x")
    for n in range(2):
        await _take(scripts, f"d:{n}")
        await scripts.recover(_rules(1))
    assert await queue.states([job.id]) == {job.id: "failed"}
    await queue.retry(job.id, fresh=True)

    await _take(scripts, "d:9")

    assert [job.to for job in await scripts.recover(_rules(1))] == ["wait"]


async def test_a_job_whose_lock_ran_out_is_its_living_worker_s_until_that_is_dead_or_renews_without_it(
    queue: Queue, scripts: Scripts, client: Any
) -> None:
    await queue.add("x")
    await _take(scripts, "a:1")
    await client.delete("bull:q:1:lock")
    now = int((await client.time())[0]) * 1000

    async def recovered(alive_until: int) -> list[str]:
        await client.zadd("bull:q:presence", {"a": alive_until})
        return [job.to for job in await scripts.recover(_rules(3))]

    assert await recovered(now + 60_000) == []
    await client.zadd("bull:q:lockless", {"1": now - 1})  # as long ago as its presence then reached
    assert await recovered(now + 120_000) == ["wait"]
