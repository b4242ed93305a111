"""Which calls are said to be in doubt, and which are left alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from holdfast.queue import Job, Queue, Worker
from holdfast.service import GenerationRequest, IncomingRow, Service, open_service
from holdfast.service.doubting import Doubts
from holdfast.settings import Settings

INSERT = (
    "INSERT INTO holdfast.calls (id, generation_id, step, fingerprint, model, state, reserved_usd, worker)"
    " VALUES (:id, :generation, 'label/0', 'f', 'm', :state, 1, :worker)"
)
STATES = "SELECT worker, state FROM holdfast.calls"


@pytest.fixture
async def service(redis_url: str, database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    settings = Settings(redis_url_given=redis_url, database_url=database_url, home=tmp_path)
    async with open_service(settings) as opened:
        yield opened


@pytest.fixture
async def generation_id(service: Service) -> UUID:
    category = await service.imports.add_category(name="doubts")
    await service.imports.import_rows(category.id, [IncomingRow(text=f"answer {n}") for n in range(12)])
    return (await service.generations.start(GenerationRequest(category_id=category.id))).generation.id


def doubts(service: Service, *, age: float = 0.0) -> Doubts:
    return Doubts(service.database, service.queue, age=timedelta(seconds=age))


async def begun(service: Service, generation_id: UUID, worker: str, state: str = "intent") -> None:
    values = {"id": uuid4(), "generation": generation_id, "state": state, "worker": worker}
    await service.database.run(lambda c: c.execute(text(INSERT), values))


@asynccontextmanager
async def alive(queue: Queue) -> AsyncIterator[str]:
    """The id of a worker that is there while the block runs."""

    async def nothing(_job: Job) -> None: ...

    worker = Worker(queue, {"nobody asks for this": nothing}, signals=False)
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(10):
        while not (there := await queue.workers()):
            await asyncio.sleep(0.02)  # how often it is looked for
    yield there[0].id
    await worker.stop()
    await working


async def states(service: Service) -> dict[str, str]:
    rows = await service.database.run(lambda c: c.execute(text(STATES)))
    return {row.worker: row.state for row in rows}


async def test_only_calls_of_workers_that_are_gone_for_two_looks_are_in_doubt(
    service: Service, generation_id: UUID
) -> None:
    async with alive(service.queue) as worker_id:
        await begun(service, generation_id, "gone:1")
        await begun(service, generation_id, "ended:1", state="replied")
        await begun(service, generation_id, f"{worker_id}:1")
        looking = doubts(service)

        looks = [await looking.once() for _ in range(3)]

    assert looks == [0, 1, 0]
    assert await states(service) == {"gone:1": "in_doubt", "ended:1": "replied", f"{worker_id}:1": "intent"}


async def test_a_young_call_is_left_alone(service: Service, generation_id: UUID) -> None:
    await begun(service, generation_id, "gone:1")
    looking = doubts(service, age=60)

    assert [await looking.once() for _ in range(3)] == [0, 0, 0]
