"""The API is SIGKILLed between the commit of a generation and its enqueueing."""

import socket

import httpx
import pytest
from tests.faults.service.stack import TOPICS, Stack, check_invariants, died, until

from holdfast.service import IncomingRow, Service


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_generation_committed_by_a_killed_api_is_run(stack: Stack, service: Service) -> None:
    category = await service.imports.add_category(name="spring")
    rows = [IncomingRow(text=TOPICS[n % 4].format(n=n)) for n in range(60)]
    await service.imports.import_rows(category.id, rows)
    port = free_port()
    doomed = stack.start("serve", "--no-worker", "--port", str(port), HOLDFAST_FAULT="generation committed")
    await answers(port)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/codeframe/generate", json={"category_id": category.id, "n_clusters": 4})
    await died(doomed)
    generation = await service.generations.under_way()
    assert generation is not None
    before = await service.queue.counts()
    stack.start("serve", "--port", str(port))
    after = await until(service, generation.id, lambda status: status.ended)

    assert sum(before.values()) == 0
    assert after[-1].status == "completed"
    await check_invariants(service, generation.id)


async def answers(port: int) -> None:
    """Return when the API answers."""
    transport = httpx.AsyncHTTPTransport(retries=60)  # each with a longer pause: the server is starting
    async with httpx.AsyncClient(transport=transport, timeout=30) as client:
        assert (await client.get(f"http://127.0.0.1:{port}/api/v1/health/live")).status_code == 200
