"""Jobs in our queue that are no unit's are left alone and told of."""

import asyncio
from uuid import uuid4

import pytest
import redis as redis_client
import structlog
from sqlalchemy import event

from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service
from holdfast.service.enqueueing import job_id, place_of
from holdfast.service.reconciler import Reconciler
from holdfast.service.strays import LOOKED_AT, Found, Strays
from holdfast.store.generations import Created
from holdfast.store.units import UnitRef

TOLD = "jobs of no unit left alone"


async def started(service: Service) -> Created:
    category = await service.imports.add_category(name="spring")
    await service.imports.import_rows(category.id, [IncomingRow(text=f"answer {n}") for n in range(10)])
    return await service.generations.start(
        GenerationRequest(category_id=category.id, config=GenerationConfig(n_clusters=2))
    )


def strays(service: Service) -> Strays:
    return Strays(service.database, service.queue, metrics=service.watch.metrics)


def gauge(service: Service, kind: str) -> float | None:
    return service.watch.metrics.registry.get_sample_value("holdfast_reconciler_left_alone_jobs", {"kind": kind})


def test_a_job_s_name_says_which_unit_it_is_for() -> None:
    generation = uuid4()
    ref = UnitRef(id=7, generation_id=generation, stage="label", ordinal=3, round=2)

    assert place_of(job_id(ref)) == (generation, "label", 3)
    for other in ("", "17", "g-1-label-3", f"g-{generation}-label-", f"g-{generation}-label-3-rx", f"x{job_id(ref)}"):
        assert place_of(other) is None


async def test_our_own_jobs_are_none_whatever_their_round(service: Service) -> None:
    made = await started(service)
    again = UnitRef(**{**{name: getattr(made.units[0], name) for name in UnitRef.__slots__}, "round": 4})
    await service.queue.add("prepare", {}, job_id=job_id(again))

    with structlog.testing.capture_logs() as said:
        found = await strays(service).look()

    assert found == Found()
    assert TOLD not in [line["event"] for line in said]
    assert (gauge(service, "no_unit"), gauge(service, "not_ours")) == (0, 0)


async def test_jobs_of_other_databases_and_programs_are_counted_by_kind_and_left_alone(service: Service) -> None:
    await started(service)
    elsewhere = [f"g-{uuid4()}-label-{n}" for n in range(3)]
    for stray in elsewhere:
        await service.queue.add("label", {"unit": 1}, job_id=stray)
    await service.queue.add("mail", {"text": "a secret answer"}, job_id="mail-a-secret-id")
    await service.queue.add("mail", {}, delay=600, job_id="mail-later")

    with structlog.testing.capture_logs() as said:
        looks = strays(service)
        found, again = await looks.look(), await looks.look()

    assert found == again == Found(no_unit=3, not_ours=2)
    lines = [line for line in said if line["event"] == TOLD]
    assert lines == [{"event": TOLD, "log_level": "warning", "count": 5, "no_unit": 3, "not_ours": 2}]  # once
    assert (gauge(service, "no_unit"), gauge(service, "not_ours")) == (3, 2)
    assert set((await service.queue.states([*elsewhere, "mail-a-secret-id"])).values()) == {"wait"}
    assert (await service.queue.states(["mail-later"])) == {"mail-later": "delayed"}


async def test_the_reconciler_tells_of_them_and_gives_its_own_units_their_jobs(service: Service) -> None:
    made = await started(service)
    with redis_client.Redis.from_url(service.redis_url) as client:
        client.flushall()
    stray = f"g-{uuid4()}-embed-0"
    await service.queue.add("embed", {"unit": 1}, job_id=stray)
    stopping = asyncio.Event()

    with structlog.testing.capture_logs() as said:
        reconciling = asyncio.create_task(
            Reconciler(service.database, service.queue, every=0.05, metrics=service.watch.metrics).run(stopping)
        )
        async with asyncio.timeout(20):
            while TOLD not in [line["event"] for line in said]:
                await asyncio.sleep(0.02)
        stopping.set()
        await reconciling

    assert await service.queue.states([stray, job_id(made.units[0])]) == {stray: "wait", job_id(made.units[0]): "wait"}
    assert (service.watch.metrics.registry.get_sample_value("holdfast_reconciler_looks_total") or 0) >= 1


async def test_a_look_reads_each_list_once_and_asks_the_database_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [service.queue.add("label", {}, job_id=f"g-{uuid4()}-label-{n}") for n in range(LOOKED_AT + 100)]
    await asyncio.gather(*jobs)
    asked: list[str] = []
    call = service.queue._link.call

    async def counted(*command: object) -> object:
        asked.append(str(command[0]))
        return await call(*command)

    monkeypatch.setattr(service.queue._link, "call", counted)
    statements: list[str] = []
    engine = service.database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))

    found = await strays(service).look()

    assert found == Found(no_unit=LOOKED_AT)  # the first ones of the state; it says no more than it saw
    assert len(statements) == 1
    assert sorted(asked) == ["LRANGE", "LRANGE", "LRANGE", "ZCARD", "ZCARD", "ZRANGE"]


async def test_looks_are_far_between(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = strays(service)
    await looks.look_now_and_then()
    await service.queue.add("mail", {}, job_id="mail-1")

    await looks.look_now_and_then()

    assert gauge(service, "not_ours") == 0
    monkeypatch.setattr(looks, "_due", 0.0)
    await looks.look_now_and_then()
    assert gauge(service, "not_ours") == 1
