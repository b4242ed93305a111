"""Two jobs for one unit: the second waits while the first one's worker lives."""

import asyncio
from typing import Any

import pytest

from holdfast.errors import QueueUnavailable
from holdfast.queue import Queue
from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service
from holdfast.service import claims as claims_module
from holdfast.service.claims import Claims
from holdfast.store import units
from holdfast.store.units import Done, Ended, OwedUnit


class Presence:
    """Stands between the claims and the queue: says which workers live, and that it was asked."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.alive: set[str] = set()
        self.asked = asyncio.Event()

    async def workers(self) -> list[Any]:
        self.asked.set()
        return [type("Alive", (), {"id": worker}) for worker in self.alive]


@pytest.fixture
async def unit_id(service: Service) -> int:
    category = await service.imports.add_category(name="spring")
    await service.imports.import_rows(category.id, [IncomingRow(text=f"answer {n}") for n in range(10)])
    request = GenerationRequest(category_id=category.id, config=GenerationConfig(n_clusters=2))
    return (await service.generations.start(request)).units[0].id


@pytest.fixture
def presence(service: Service) -> Presence:
    return Presence(service.queue)


@pytest.fixture
def claims(service: Service, presence: Presence, monkeypatch: pytest.MonkeyPatch) -> Claims:
    monkeypatch.setattr(claims_module, "LOOK_EVERY", 0.01)
    return Claims(service.database, presence)  # type: ignore[arg-type]


async def test_a_unit_nobody_has_is_claimed_at_once(claims: Claims, presence: Presence, unit_id: int) -> None:
    claimed = await claims.claim(unit_id, worker="a1:1", taken_over=False)

    assert isinstance(claimed, OwedUnit)
    assert not presence.asked.is_set()


async def test_a_second_job_waits_until_the_living_worker_has_ended_the_unit(
    service: Service, claims: Claims, presence: Presence, unit_id: int
) -> None:
    presence.alive = {"a1"}
    first = await claims.claim(unit_id, worker="a1:1", taken_over=False)
    assert first is not None

    second = asyncio.create_task(claims.claim(unit_id, worker="b2:1", taken_over=False))
    await presence.asked.wait()
    assert not second.done()
    end = Done(result={})
    await service.database.run(lambda c: units.finish(c, first.ref, end, plan=lambda _: Ended(state="completed")))

    assert await second is None


async def test_a_dead_worker_s_unit_is_taken_over_at_once_when_the_queue_says_so(claims: Claims, unit_id: int) -> None:
    await claims.claim(unit_id, worker="a1:1", taken_over=False)

    claimed = await claims.claim(unit_id, worker="b2:1", taken_over=True)

    assert isinstance(claimed, OwedUnit)


async def test_a_worker_must_be_seen_dead_twice_when_redis_has_forgotten_the_job(
    claims: Claims, presence: Presence, unit_id: int
) -> None:
    await claims.claim(unit_id, worker="a1:1", taken_over=False)
    looks = 0
    ask = presence.workers

    async def back_on_the_second_look() -> list[Any]:
        nonlocal looks
        looks += 1
        presence.alive = {"a1"} if looks == 2 else set()
        return await ask()

    presence.workers = back_on_the_second_look  # type: ignore[method-assign]
    claimed = await claims.claim(unit_id, worker="b2:1", taken_over=False)

    assert isinstance(claimed, OwedUnit)
    assert looks == 4  # dead, alive, dead, dead


async def test_an_outage_of_redis_while_it_waits_is_no_failed_attempt(
    claims: Claims, presence: Presence, unit_id: int
) -> None:
    await claims.claim(unit_id, worker="a1:1", taken_over=False)
    looks = 0

    async def away_at_first() -> list[Any]:
        nonlocal looks
        looks += 1
        if looks < 3:
            raise QueueUnavailable("redis did not answer within 5 s")
        return []

    presence.workers = away_at_first  # type: ignore[method-assign]

    assert isinstance(await claims.claim(unit_id, worker="b2:1", taken_over=False), OwedUnit)
    assert looks == 4


async def test_a_released_unit_is_free(claims: Claims, presence: Presence, unit_id: int) -> None:
    presence.alive = {"a1"}
    await claims.claim(unit_id, worker="a1:1", taken_over=False)

    await claims.release(unit_id, worker="someone-else:1")
    await claims.release(unit_id, worker="a1:1")

    assert isinstance(await claims.claim(unit_id, worker="b2:1", taken_over=False), OwedUnit)
    assert not presence.asked.is_set()
