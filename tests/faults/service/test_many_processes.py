"""Many of each: two APIs, four workers, a reconciler in each of them; and an API that is a worker too."""

import asyncio
from collections import Counter
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from tests.faults.service.paid import MODEL, check_bill, check_units
from tests.faults.service.stack import TOPICS, Stack, generation_of, until
from tests.faults.service.test_api_killed import answers, free_port

from holdfast.service import IncomingRow, Service
from holdfast.stub import StubProvider

CLUSTERS = 8
PATIENCE = 180.0  # seconds; so many processes take their time to start on a busy machine


@pytest.mark.timeout(300)
async def test_two_apis_and_four_workers_make_one_generation_of_a_double_click_and_pay_each_label_once(
    paying: StubProvider, stack: Stack, service: Service
) -> None:
    ports = [free_port(), free_port()]
    for port in ports:
        stack.start("serve", "--no-worker", "--port", str(port))
    for _ in range(4):
        stack.start("worker", "--concurrency", "2")
    category = await service.imports.add_category(name="spring")
    rows = [IncomingRow(text=TOPICS[n % 4].format(n=n)) for n in range(120)]
    await service.imports.import_rows(category.id, rows)
    await asyncio.gather(*(answers(port) for port in ports))

    body = {"category_id": category.id, "n_clusters": CLUSTERS, "config": {"model": MODEL}}
    headers = {"Idempotency-Key": "spring-1"}
    async with httpx.AsyncClient(timeout=60) as client:
        urls = [f"http://127.0.0.1:{port}/api/v1/codeframe/generate" for port in ports * 3]
        posted = await asyncio.gather(*(client.post(url, json=body, headers=headers) for url in urls))
        generation_id = UUID(posted[0].json()["generation_id"])
        ended = (await until(service, generation_id, lambda status: status.ended, within=PATIENCE))[-1]
        again = await client.post(urls[0], json=body, headers=headers)

    assert {reply.json()["generation_id"] for reply in [*posted, again]} == {str(generation_id)}
    assert (ended.status, ended.n_completed) == ("completed", CLUSTERS)
    assert len(paying.bill().calls) == CLUSTERS
    await check_bill(service, paying, generation_id)
    await check_units(service, generation_id)
    counts = await service.queue.counts()
    n_units = await units_by_state(service, generation_id)
    assert counts["completed"] == n_units["done"] == n_units.total()  # one job a unit


@pytest.mark.timeout(300)
async def test_an_api_with_a_worker_that_is_told_to_stop_finishes_the_call_it_pays_for(
    paying: StubProvider, stack: Stack, service: Service
) -> None:
    paying.hold()
    generation_id = await generation_of(service, clusters=6, model=MODEL)
    first = stack.start("serve", "--port", str(free_port()), HOLDFAST_CONCURRENCY="2")
    await paying.waiting(2, within=PATIENCE)

    first.terminate()
    paying.release()
    code = await asyncio.to_thread(first.wait, PATIENCE)
    stopped = await service.generations.status(generation_id)
    stack.start("worker")
    ended = (await until(service, generation_id, lambda status: status.ended, within=PATIENCE))[-1]

    assert code == 0
    assert stopped.ledger.n_calls == stopped.n_completed >= 2
    assert (stopped.ledger.reserved, stopped.ledger.n_in_doubt) == (0, 0)
    assert ended.status == "completed"
    assert len(paying.bill().calls) == 6
    await check_bill(service, paying, generation_id)
    await check_units(service, generation_id)


async def units_by_state(service: Service, generation_id: UUID) -> Counter[str]:
    sql = "SELECT state, count(*) AS n FROM holdfast.units WHERE generation_id = :id GROUP BY state"
    rows = await service.database.run(lambda c: c.execute(text(sql), {"id": generation_id}))
    return Counter({row.state: row.n for row in rows})
