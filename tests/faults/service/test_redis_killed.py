"""Redis is killed, or comes back empty, while labels are made."""

import asyncio

import redis as redis_client
from tests.faults.service.stack import Stack, check_invariants, generation_of, until

from holdfast.service import Service


async def test_a_generation_outlives_a_killed_redis(stack: Stack, service: Service) -> None:
    generation_id = await generation_of(service, clusters=8)
    stack.start("worker", "--concurrency", "2", HOLDFAST_LABEL_PACE="0.3")
    before = await until(service, generation_id, lambda status: status.n_completed >= 2)

    await asyncio.to_thread(stack.redis.kill)
    while_away = await service.generations.status(generation_id)
    await asyncio.sleep(2)  # how long Redis is away
    await asyncio.to_thread(stack.redis.start)
    after = await until(service, generation_id, lambda status: status.ended)

    assert while_away.n_completed >= before[-1].n_completed
    assert after[-1].status == "completed"
    await check_invariants(service, generation_id)


async def test_a_redis_that_comes_back_empty_loses_nothing_and_bills_nothing_again(
    stack: Stack, service: Service
) -> None:
    generation_id = await generation_of(service, clusters=8)
    for _ in range(2):
        stack.start("worker", "--concurrency", "2", HOLDFAST_LABEL_PACE="1.5")
    await until(service, generation_id, lambda status: status.n_completed >= 1 and status.n_running >= 1)

    with redis_client.Redis.from_url(stack.redis.url) as client:
        client.flushall()
    after = await until(service, generation_id, lambda status: status.ended)

    assert after[-1].status == "completed"
    await check_invariants(service, generation_id)


async def test_a_post_while_redis_is_away_is_run_when_it_is_back(stack: Stack, service: Service) -> None:
    await asyncio.to_thread(stack.redis.kill)

    generation_id = await generation_of(service)
    status = await service.generations.status(generation_id)
    await asyncio.to_thread(stack.redis.start)
    stack.start("worker")
    after = await until(service, generation_id, lambda status: status.ended)

    assert status.status == "queued"
    assert after[-1].status == "completed"
    await check_invariants(service, generation_id)
