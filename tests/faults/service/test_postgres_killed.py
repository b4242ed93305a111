"""PostgreSQL is killed while labels are made; replies that are under way wait for it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.faults.service.stack import Stack, check_invariants, generation_of, until

from holdfast.embedded import PostgresServer, RedisServer
from holdfast.service import open_service


@pytest.fixture
async def postgres(own_folder: Path) -> AsyncIterator[PostgresServer]:
    server = PostgresServer(own_folder / "own postgres")
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.kill)


@pytest.fixture
async def mortal(own_redis: RedisServer, postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Stack]:
    made = Stack(redis=own_redis, database_url=postgres.url, home=tmp_path)
    yield made
    made.stop()


async def test_a_generation_outlives_a_killed_postgresql(mortal: Stack, postgres: PostgresServer) -> None:
    async with open_service(mortal.settings()) as service:
        generation_id = await generation_of(service, clusters=8)
        mortal.start("worker", "--concurrency", "2", HOLDFAST_LABEL_PACE="0.5")
        await until(service, generation_id, lambda status: status.n_completed >= 2 and status.n_running >= 1)

        await asyncio.to_thread(postgres.kill)
        await went_wrong(mortal)
        await asyncio.to_thread(postgres.start)
        after = await until(service, generation_id, lambda status: status.ended)

        assert after[-1].status == "completed"
        await check_invariants(service, generation_id)


async def went_wrong(stack: Stack) -> None:
    """Wait until the worker has noticed that the database is away."""
    async with asyncio.timeout(30):
        while "database connection lost" not in stack.log_of(stack.processes[0]):
            await asyncio.sleep(0.05)
