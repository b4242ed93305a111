"""The story everything is built for: ten clusters, all dies after three, the other seven resume by themselves."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.faults.service.paid import MODEL, check_bill, check_units
from tests.faults.service.stack import TOPICS, Stack, died, until
from tests.faults.service.test_api_killed import answers, free_port

from holdfast.embedded import PostgresServer, RedisServer
from holdfast.service import IncomingRow, open_service
from holdfast.stub import StubProvider

CLUSTERS = 10
UNITS_BEFORE_LABELS = 3  # prepare, one chunk to embed, cluster


@pytest.fixture
async def deployment(own_redis: RedisServer, own_folder: Path, tmp_path: Path) -> AsyncIterator[tuple[Stack, Any]]:
    """Servers of its own, all of which may be killed."""
    postgres = PostgresServer(own_folder / "own postgres")
    await asyncio.to_thread(postgres.start)
    stack = Stack(redis=own_redis, database_url=postgres.url, home=tmp_path)
    yield stack, postgres
    stack.stop()
    await asyncio.to_thread(postgres.kill)


async def test_ten_clusters_are_paid_once_although_everything_is_killed_after_three(
    paying: StubProvider, deployment: tuple[Stack, PostgresServer]
) -> None:
    stack, postgres = deployment
    port = free_port()
    api = stack.start("serve", "--no-worker", "--port", str(port))
    await answers(port)
    async with open_service(stack.settings()) as service:
        category = await service.imports.add_category(name="spring")
        rows = [IncomingRow(text=TOPICS[n % 4].format(n=n)) for n in range(120)]
        await service.imports.import_rows(category.id, rows)
        wanted = {"category_id": category.id, "n_clusters": CLUSTERS, "config": {"model": MODEL, "budget_usd": "15.00"}}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30) as client:
            reply = await client.post("/codeframe/generate", json=wanted)
            assert reply.status_code == 202
            path = f"/codeframe/{reply.json()['generation_id']}/status"
            dies_at = UNITS_BEFORE_LABELS + 3
            worker = stack.start("worker", "--concurrency", "1", HOLDFAST_FAULT=f"unit done:{dies_at}")
            await died(worker)
            told = (await client.get(path)).json()
    paid_before = len(paying.bill().calls)

    api.kill()
    await asyncio.to_thread(stack.redis.kill)
    await asyncio.to_thread(postgres.kill)
    await asyncio.to_thread(postgres.start)
    await asyncio.to_thread(stack.redis.start)
    stack.start("serve", "--no-worker", "--port", str(port))
    await answers(port)

    async with open_service(stack.settings()) as service:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30) as client:
            told_after = (await client.get(path)).json()
        generation = await service.generations.under_way()
        assert generation is not None
        stack.start("worker")
        seen = await until(service, generation.id, lambda status: status.ended)
        await check_bill(service, paying, generation.id)
        await check_units(service, generation.id)

    assert (told["n_completed"], told["n_clusters"], told["status"]) == (3, CLUSTERS, "processing")
    assert told_after["n_completed"] == 3
    assert (told_after["cost"]["spent_usd"], told_after["cost"]["budget_usd"]) == (
        told["cost"]["spent_usd"],
        "15.00",
    )
    assert paid_before == 3
    assert seen[-1].status == "completed"
    assert [s.n_completed for s in seen] == sorted(s.n_completed for s in seen)
    assert len(paying.bill().calls) == CLUSTERS
    assert paying.bill().paid_twice == {}
    assert seen[-1].spent_usd == paying.bill().usd > Decimal(0)
