"""Only the token that owns a job may write to it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from holdfast.queue import Queue, Retention
from holdfast.queue.link.connection import Link
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Blame, RecoveryRules, Result, Scripts

LOCK_MS = 30_000
AT_ONCE = RecoveryRules(interval_ms=0, quiet_ms=0, grace_ms=0, max_stalled=0)  # a job is given up when first lost


@pytest.fixture
async def scripts(queue: Queue) -> AsyncIterator[Scripts]:
    """The scripts of the queue, on a link of their own."""
    link = Link(queue.url, reporter=Reporter())
    yield Scripts(link, queue.keys)
    await link.close()


@pytest.fixture
async def taken(queue: Queue, scripts: Scripts) -> str:
    """The id of a job that token `a:1` holds."""
    job = await queue.add("x", attempts=3)
    await scripts.take(1, "a:1", LOCK_MS, announce=False)
    return job.id


def _blame(job_id: str, token: str) -> Blame:
    return Blame(job_id=job_id, token=token, attempts_made=1, reason="r", trace="t", trace_limit=10)


async def _complete(scripts: Scripts, job_id: str, token: str) -> str:
    words, _ = await scripts.complete([Result(job_id, token, b"1", "", "0")], limit=0, token="", lock_ms=LOCK_MS)
    return words[0]


WRITES: dict[str, Callable[[Scripts, str, str], Any]] = {
    "complete": _complete,
    "fail": lambda scripts, job_id, token: scripts.fail(_blame(job_id, token), keep=""),
    "retry": lambda scripts, job_id, token: scripts.retry(_blame(job_id, token), delay_ms=100),
    "postpone": lambda scripts, job_id, token: scripts.postpone(job_id, token, delay_ms=100),
    "progress": lambda scripts, job_id, token: scripts.progress(job_id, token, b"1", back=False),
    "log": lambda scripts, job_id, token: scripts.log(job_id, token, "line", limit=10),
    "release": lambda scripts, job_id, token: scripts.release([(job_id, token)]),
}


@pytest.mark.parametrize("write", WRITES)
async def test_a_second_token_changes_nothing(scripts: Scripts, taken: str, redis_url: str, write: str) -> None:
    import redis.asyncio  # noqa: PLC0415 - the shared client decodes, dumps are bytes

    async with redis.asyncio.Redis.from_url(redis_url) as raw:
        before = {key: await raw.dump(key) async for key in raw.scan_iter("*")}

        word = await WRITES[write](scripts, taken, "b:1")

        after = {key: await raw.dump(key) async for key in raw.scan_iter("*")}
    assert word in ("lock_lost", ["lock_lost"])
    assert after.keys() == before.keys()
    assert {key for key in after if after[key] != before[key]} <= {f"bull:q:{taken}:lock".encode()}  # its TTL ran on


@pytest.mark.parametrize("write", WRITES)
async def test_the_owner_may_write_after_its_lock_ran_out_if_nobody_else_came(
    scripts: Scripts, taken: str, client: Any, write: str
) -> None:
    await client.delete(f"bull:q:{taken}:lock")

    assert await WRITES[write](scripts, taken, "a:1") in ("ok", ["ok"])


@pytest.mark.parametrize("write", ["complete", "fail", "retry", "postpone"])
async def test_writing_again_after_a_lost_reply_is_recognized(scripts: Scripts, taken: str, write: str) -> None:
    assert await WRITES[write](scripts, taken, "a:1") == "ok"

    assert await WRITES[write](scripts, taken, "a:1") == "written"


@pytest.mark.parametrize("write", WRITES)
async def test_a_job_that_is_gone_is_said_to_be_missing(scripts: Scripts, taken: str, client: Any, write: str) -> None:
    await client.flushall()

    assert await WRITES[write](scripts, taken, "a:1") in ("missing", ["missing"])
    assert await client.dbsize() == 0


async def test_a_batch_whose_reply_was_lost_can_be_asked_for_again(scripts: Scripts, queue: Queue) -> None:
    await queue.add("x")
    await queue.add("y")
    first = await scripts.take(2, "a:1", LOCK_MS, announce=False)

    again = await scripts.retake("a:1")

    assert sorted(row[-1] for row in again) == sorted(row[-1] for row in first)
    assert await scripts.retake("a:2") == []


async def test_a_job_that_somebody_else_has_locked_is_not_taken(scripts: Scripts, queue: Queue, client: Any) -> None:
    locked = await queue.add("x")
    await queue.add("y")
    await client.set(f"bull:q:{locked.id}:lock", "node's token", px=60_000)

    rows = await scripts.take(5, "a:1", LOCK_MS, announce=False)

    assert [row[0] for row in rows] == [b"y"]
    assert await client.get(f"bull:q:{locked.id}:lock") == "node's token"
    assert await queue.states([locked.id]) == {locked.id: "active"}  # as its lock says


@pytest.mark.parametrize("write", WRITES)
async def test_a_job_that_was_given_up_is_not_its_old_owner_s_any_more(
    scripts: Scripts, queue: Queue, taken: str, write: str
) -> None:
    assert [job.to for job in await scripts.recover(AT_ONCE)] == ["failed"]

    assert await WRITES[write](scripts, taken, "a:1") in ("lock_lost", ["lock_lost"])
    assert await queue.states([taken]) == {taken: "failed"}


@pytest.mark.parametrize(("keep", "kept"), [(True, 0), (0, 0), (2, 2), (Retention(count=1), 1), (Retention(), 4)])
async def test_jobs_that_are_given_up_are_kept_as_their_options_say(
    scripts: Scripts, queue: Queue, keep: Any, kept: int
) -> None:
    for _ in range(4):
        await queue.add("x", remove_on_fail=keep)
    await scripts.take(4, "a:1", LOCK_MS, announce=False)

    await scripts.recover(AT_ONCE)

    assert await queue.counts() == dict.fromkeys(await queue.counts(), 0) | {"failed": kept}


@pytest.mark.parametrize("opts", ["", "not json", "[]", '{"removeOnFail":null}', '{"removeOnFail":{"count":1e999}}'])
async def test_options_that_say_nothing_useful_keep_a_job_that_is_given_up(
    scripts: Scripts, queue: Queue, taken: str, client: Any, opts: str
) -> None:
    await client.hset(f"bull:q:{taken}", "opts", opts)

    assert [job.to for job in await scripts.recover(AT_ONCE)] == ["failed"]

    assert await queue.states([taken]) == {taken: "failed"}
