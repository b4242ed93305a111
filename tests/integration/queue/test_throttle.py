"""One pace for all workers, and a breaker, on a real Redis."""

import asyncio
import time
from itertools import pairwise
from typing import Any

import orjson
import pytest
import redis.asyncio

from holdfast.queue import Queue, QueueUnavailable, Throttle


def throttle(queue: Queue, *, requests: float | None = None, tokens: float | None = None) -> Throttle:
    return Throttle(
        queue, "key", requests_per_minute=requests, tokens_per_minute=tokens, failures_to_open=3, open_for=20.0
    )


async def shift(client: redis.asyncio.Redis, *, seconds: float) -> None:
    """As if so many seconds had gone by: every time in the state is so much earlier."""
    found = orjson.loads(await client.get("bull:q:throttle:key"))
    moved = {name: value if name == "failures" else value - seconds * 1000 for name, value in found.items()}
    await client.set("bull:q:throttle:key", orjson.dumps(moved))


async def granted(asked: Throttle, *, tokens: int = 1, most: int = 1000) -> int:
    """How many calls come in until one has to wait."""
    for number in range(most):
        if await asked.enter(tokens) > 0:
            return number
    return most


async def test_without_limits_everybody_comes_in_at_once(queue: Queue) -> None:
    assert await granted(throttle(queue), tokens=10**6, most=50) == 50


async def test_a_minute_and_its_burst_stay_within_the_limit(queue: Queue, client: redis.asyncio.Redis) -> None:
    asked = throttle(queue, requests=600)

    total = await granted(asked)
    for _ in range(59):
        await shift(client, seconds=1)
        total += await granted(asked)

    assert 0.97 * 600 <= total <= 600


async def test_the_wait_that_is_told_is_enough(queue: Queue, client: redis.asyncio.Redis) -> None:
    asked = throttle(queue, requests=60)
    await granted(asked)

    wait = await asked.enter(1)
    await shift(client, seconds=wait)

    assert 0 < wait < 1.5
    assert await asked.enter(1) == 0


async def test_many_callers_in_two_queues_share_one_pace(queue: Queue, redis_url: str) -> None:
    asked = 0

    async def call(throttle: Throttle, ends: float) -> int:
        nonlocal asked
        made = 0
        while time.monotonic() < ends:
            asked += 1
            wait = await throttle.enter(1)
            made += wait == 0
            await asyncio.sleep(wait)
        return made

    async with Queue("q", url=redis_url) as other:
        began = time.monotonic()
        callers = [call(throttle(each, requests=6000), began + 3.0) for each in (queue, other) for _ in range(10)]
        made = sum(await asyncio.gather(*callers))
        took = time.monotonic() - began

    # 100 a second and a burst of one second, whatever the machine did meanwhile; nobody asks all the time.
    assert made <= 100 * (took + 1.0)
    assert made >= 250
    assert asked < made * 3


async def test_tokens_that_were_not_used_are_free_again(queue: Queue) -> None:
    asked = throttle(queue, tokens=60_000)

    await asked.enter(30_000)
    refused = await asked.enter(1_000)
    await asked.leave(outcome="ok", reserved=30_000, used=100, retry_after=None)

    assert refused > 0
    assert await asked.enter(1_000) == 0


async def test_a_call_bigger_than_the_burst_comes_in_when_the_bucket_is_full(queue: Queue) -> None:
    assert await throttle(queue, tokens=1_000).enter(5_000) == 0


async def test_the_provider_s_retry_after_holds_for_everybody(queue: Queue, client: redis.asyncio.Redis) -> None:
    asked, other = throttle(queue), throttle(queue)
    await asked.enter(1)
    await asked.leave(outcome="busy", reserved=1, used=0, retry_after=7.0)

    waits = await other.enter(1)
    await shift(client, seconds=7.0)

    assert 6.5 < waits < 7.0 * 1.3
    assert await other.enter(1) == 0


async def test_the_breaker_opens_lets_one_probe_through_and_closes_when_it_is_well(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    asked = throttle(queue)
    for _ in range(3):
        assert await asked.enter(1) == 0
        await asked.leave(outcome="failed", reserved=1, used=0, retry_after=None)

    opened = await asked.enter(1)
    await shift(client, seconds=20)
    probe, beside_it = await asked.enter(1), await asked.enter(1)
    await asked.leave(outcome="ok", reserved=1, used=1, retry_after=None)

    assert 19 < opened < 20 * 1.3
    assert (probe, beside_it > 0) == (0, True)
    assert await granted(asked, most=20) == 20


async def test_a_probe_that_fails_opens_the_breaker_again(queue: Queue, client: redis.asyncio.Redis) -> None:
    asked = throttle(queue)
    for _ in range(3):
        await asked.leave(outcome="failed", reserved=1, used=0, retry_after=None)
    await shift(client, seconds=20)
    assert await asked.enter(1) == 0

    await asked.leave(outcome="failed", reserved=1, used=0, retry_after=None)

    assert await asked.enter(1) > 19
    assert (await asked.look())["failures"] == 4


async def test_a_probe_that_died_is_not_waited_for_for_ever(queue: Queue, client: redis.asyncio.Redis) -> None:
    asked = throttle(queue)
    for _ in range(3):
        await asked.leave(outcome="failed", reserved=1, used=0, retry_after=None)
    await shift(client, seconds=20)
    assert await asked.enter(1) == 0

    await shift(client, seconds=20)

    assert await asked.enter(1) == 0


async def test_a_call_that_was_not_made_says_nothing_of_the_provider(queue: Queue) -> None:
    asked = throttle(queue)
    for outcome in ("failed", "failed", "unused", "failed"):
        await asked.leave(outcome=outcome, reserved=1, used=0, retry_after=None)

    assert await asked.enter(1) > 0


async def test_those_who_wait_are_told_one_time_after_the_other(queue: Queue) -> None:
    asked = throttle(queue, requests=60)
    await granted(asked)

    waits = [await asked.enter(1) for _ in range(5)]

    apart = [later - earlier for earlier, later in pairwise(waits)]
    assert all(0.9 < each < 1.1 for each in apart)


async def test_nobody_is_sent_away_for_more_than_a_minute(queue: Queue) -> None:
    asked = throttle(queue, requests=6)
    await granted(asked)

    assert max([await asked.enter(1) for _ in range(20)]) == 60.0


async def test_those_who_wait_for_a_closed_door_do_not_come_all_at_once(queue: Queue) -> None:
    asked = throttle(queue, requests=6000)
    await asked.leave(outcome="busy", reserved=1, used=0, retry_after=7.0)

    waits = [await asked.enter(1) for _ in range(50)]

    assert waits[0] > 6.5
    assert 0.4 < waits[-1] - waits[0] < 0.6


async def test_a_probe_that_the_limit_refuses_leaves_the_turn_to_the_next(
    queue: Queue, client: redis.asyncio.Redis
) -> None:
    asked = throttle(queue, requests=60)
    await granted(asked)
    for _ in range(3):
        await asked.leave(outcome="failed", reserved=1, used=0, retry_after=None)
    state = await asked.look()
    state |= {"open": 0, "requests": state["requests"] + 5_000}
    await client.set("bull:q:throttle:key", orjson.dumps(state))

    assert await asked.enter(1) > 0
    assert (await asked.look())["probe"] == 0


async def test_a_redis_that_is_away_is_said_to_be_away(own_redis: Any) -> None:
    async with Queue("q", url=own_redis.url, max_wait=0.3) as queue:
        asked = throttle(queue, requests=60)
        await asked.enter(1)
        await asyncio.to_thread(own_redis.kill)

        with pytest.raises(QueueUnavailable):
            await asked.enter(1)
        with pytest.raises(QueueUnavailable):
            await asked.leave(outcome="ok", reserved=1, used=1, retry_after=None)


async def test_bull_leaves_the_state_alone_and_the_audit_finds_nothing(queue: Queue) -> None:
    await throttle(queue, requests=60).enter(1)

    report = await queue.audit()

    assert not report.findings
