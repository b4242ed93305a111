"""What is owed and has no live job gets one, and nothing else does."""

import asyncio
from collections.abc import Sequence

import pytest
import redis as redis_client
from sqlalchemy import text

from holdfast.errors import QueueError
from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service
from holdfast.service.enqueueing import job_id
from holdfast.service.reconciler import Reconciled, Reconciler
from holdfast.store import units
from holdfast.store.generations import Created


async def started(service: Service) -> Created:
    category = await service.imports.add_category(name="spring")
    await service.imports.import_rows(category.id, [IncomingRow(text=f"answer {n}") for n in range(10)])
    request = GenerationRequest(category_id=category.id, config=GenerationConfig(n_clusters=2))
    return await service.generations.start(request)


def reconciler(service: Service) -> Reconciler:
    return Reconciler(service.database, service.queue)


async def test_nothing_is_added_for_units_that_have_a_job(service: Service) -> None:
    await started(service)

    assert await reconciler(service).once() == Reconciled(owed=1, enqueued=0, given_up=0)
    assert (await service.queue.counts())["wait"] == 1


async def test_a_lost_job_is_added_again_under_the_same_id(service: Service) -> None:
    made = await started(service)
    with redis_client.Redis.from_url(service.redis_url) as client:
        client.flushall()

    found = await reconciler(service).once()

    assert found == Reconciled(owed=1, enqueued=1, given_up=0)
    assert await service.queue.states([job_id(made.units[0])]) == {job_id(made.units[0]): "wait"}


async def test_any_number_of_reconcilers_add_one_job(service: Service) -> None:
    await started(service)
    with redis_client.Redis.from_url(service.redis_url) as client:
        client.flushall()

    await asyncio.gather(*(reconciler(service).once() for _ in range(8)))

    assert (await service.queue.counts())["wait"] == 1


async def test_a_job_in_no_list_is_put_into_one(service: Service) -> None:
    made = await started(service)
    with redis_client.Redis.from_url(service.redis_url) as client:
        client.delete(f"bull:{service.queue.name}:wait")  # what a rewind can leave: the hash without its place

    found = await reconciler(service).once()

    assert found.enqueued == 1
    assert await service.queue.states([job_id(made.units[0])]) == {job_id(made.units[0]): "wait"}


async def test_a_unit_whose_job_ended_without_it_gets_a_job_of_the_next_round(service: Service) -> None:
    made = await started(service)
    await end_job(service, job_id(made.units[0]), "completed")

    found = await reconciler(service).once()

    owed = await service.database.run(units.owed)
    assert (found.enqueued, [ref.round for ref in owed]) == (1, [1])
    assert await service.queue.states([job_id(owed[0])]) == {job_id(owed[0]): "wait"}


async def test_a_unit_whose_job_failed_for_good_fails_with_its_reason(service: Service) -> None:
    made = await started(service)
    await end_job(service, job_id(made.units[0]), "failed", failedReason="job stalled more than allowable limit")

    found = await reconciler(service).once()

    status = await service.generations.status(made.generation.id)
    assert (found.given_up, status.status) == (1, "failed")
    assert status.error is not None
    assert "job stalled more than allowable limit" in status.error["message"]


async def test_jobs_that_are_nobody_s_units_are_left_alone(service: Service) -> None:
    await started(service)
    await service.queue.add("foreign", {"x": 1}, job_id="not-ours")

    await reconciler(service).once()

    assert await service.queue.states(["not-ours"]) == {"not-ours": "wait"}


async def test_an_error_nobody_expected_does_not_end_the_reconciler(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await started(service)
    with redis_client.Redis.from_url(service.redis_url) as client:
        client.flushall()
    stopping, broken = asyncio.Event(), asyncio.Event()
    states = service.queue.states

    async def broken_once(ids: Sequence[str]) -> dict[str, str | None]:
        if not broken.is_set():
            broken.set()
            raise QueueError("redis refused: WRONGTYPE")
        found = await states(ids)
        asyncio.get_running_loop().call_soon(stopping.set)
        return found

    monkeypatch.setattr(service.queue, "states", broken_once)
    await asyncio.wait_for(Reconciler(service.database, service.queue, every=0.01).run(stopping), 10)

    assert (await service.queue.counts())["wait"] == 1


async def test_a_cancelled_generation_gets_no_jobs(service: Service) -> None:
    made = await started(service)
    await service.steering.cancel(made.generation.id)
    with redis_client.Redis.from_url(service.redis_url) as client:
        client.flushall()

    assert await reconciler(service).once() == Reconciled(owed=0, enqueued=0, given_up=0)


async def test_more_units_than_a_page_are_all_looked_at(service: Service) -> None:
    made = await started(service)
    query = text(
        "INSERT INTO holdfast.units (generation_id, stage, ordinal)"
        " SELECT :id, 'label', n FROM generate_series(1, 2100) n"
    )
    await service.database.run(lambda c: c.execute(query, {"id": made.generation.id}), repeat=False)

    found = await reconciler(service).once()

    assert found == Reconciled(owed=2101, enqueued=2100, given_up=0)
    assert (await service.queue.counts())["wait"] == 2101


async def end_job(service: Service, job: str, state: str, **fields: str) -> None:
    """Put the job where a worker's last write would."""
    with redis_client.Redis.from_url(service.redis_url) as client:
        base = f"bull:{service.queue.name}:"
        client.lrem(f"{base}wait", 1, job)
        client.zadd(f"{base}{state}", {job: 1})
        client.hset(f"{base}{job}", mapping={"finishedOn": "1", **fields})
