"""The measurements: a generation's label stage on real servers, and the same calls with nothing around them."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from generation.scene import MODEL, Servers, clusters, generation, owe_labels, servers, service_on, settings_of, workers
from holdfast.llm import open_client
from holdfast.service import GenerationConfig, Service
from holdfast.service.labelling import ask
from holdfast.service.models import keys_of

SETTLING = 1.5  # seconds at the start that do not count against a limit: the provider allows a burst of one second
LOOK_EVERY = 0.2
ENDED = "SELECT count(*) FROM {schema}.units WHERE generation_id = :id AND stage = 'label' AND state <> 'pending'"
SPAN = (
    "SELECT extract(epoch FROM max(finished_at) - min(started_at)), count(*) FILTER (WHERE state = 'done'), "
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at)) "
    "FROM {schema}.units WHERE generation_id = :id AND stage = 'label'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One measurement."""

    clusters: int
    workers: int
    concurrency: int  # of each worker
    latency_ms: float = 20.0
    rpm: float | None = None  # the provider's limit, which the workers are told


def label_stage(case: Case) -> dict[str, Any]:
    """Buy the labels of one generation; figures of the stage, and of one unit of it."""
    with servers(latency_ms=case.latency_ms, rpm=case.rpm) as around:
        return asyncio.run(_label_stage(case, around))


async def _label_stage(case: Case, around: Servers) -> dict[str, Any]:
    environment = around.environment(concurrency=case.concurrency, rpm=case.rpm)
    async with service_on(environment) as service:
        generation_id, unit = await generation(service)
        async with workers(around, service, case.workers, environment) as crew:
            cpu = around.cpu() | {"workers": crew.cpu()}
            await owe_labels(service, unit, case.clusters)
            await _ended(service, generation_id, case.clusters)
            after = around.cpu() | {"workers": crew.cpu()}
            cpu = {name: after[name] - seconds for name, seconds in cpu.items()}
            seconds, done, median = await _row(service, SPAN, generation_id)
            told = await crew.stop()
        spent = (await service.generations.status(generation_id)).spent_usd
    figures = {"seconds": float(seconds), "done": done, "per_second": done / float(seconds)}
    figures |= {"unit_p50_ms": float(median) * 1000, **_limited(case, around), **_of_a_unit(told, cpu, done)}
    figures |= {"bill_is_ledger": around.stub.bill().usd == spent}
    return figures


def _limited(case: Case, around: Servers) -> dict[str, Any]:
    """Calls a second as the provider saw them, without the first moments, and how much of its limit that is."""
    times = [call.at.timestamp() for call in around.stub.bill().calls]
    late = [at for at in times if at >= times[0] + SETTLING]
    rate = (len(late) - 1) / (late[-1] - late[0]) if len(late) > 1 and late[-1] > late[0] else None
    figures: dict[str, Any] = {"calls": len(times), "calls_per_second": rate}
    if case.rpm and rate:
        figures |= {"of_limit": rate / (case.rpm / 60), "refused": around.stub.state()["requests"] - len(times)}
    return figures


def _of_a_unit(told: list[dict[str, Any]], cpu: dict[str, float], done: int) -> dict[str, Any]:
    count: dict[str, int] = {}
    for each in told:
        for name, number in each["count"].items():
            count[name] = count.get(name, 0) + number
    figures: dict[str, Any] = {name: count.pop(name, 0) / done for name in ("statements", "transactions")}
    figures["sql_ms"] = sum(each["sql_s"] for each in told) / done * 1000
    figures |= {f"{name}_cpu_ms": seconds / done * 1000 for name, seconds in cpu.items()}
    return figures | {"by_statement": {name: round(number / done, 2) for name, number in sorted(count.items())}}


def bare_calls(count: int, *, latency_ms: float) -> dict[str, Any]:
    """The same requests by the same client, one after the other, with nothing recorded."""
    with servers(latency_ms=latency_ms, rpm=None) as around:
        wall, cpu = asyncio.run(_bare_calls(count, around))
        return {"ms": wall / count * 1000, "cpu_ms": cpu / count * 1000}


async def _bare_calls(count: int, around: Servers) -> tuple[float, float]:
    client = open_client(MODEL, keys_of(settings_of(around.environment(concurrency=1, rpm=None))))
    asked = [ask(brief, GenerationConfig(model=MODEL), question=None) for brief in clusters(count).briefs]
    await client.complete(asked[0].request, within=60)
    began, worked = time.perf_counter(), time.process_time()
    for each in asked:
        await client.complete(each.request, within=60)
    took = time.perf_counter() - began, time.process_time() - worked
    await client.close()
    return took


async def _ended(service: Service, generation_id: UUID, count: int) -> None:
    async with asyncio.timeout(600):
        while (await _row(service, ENDED, generation_id))[0] < count:  # noqa: ASYNC110 - other processes do the work
            await asyncio.sleep(LOOK_EVERY)


async def _row(service: Service, query: str, generation_id: UUID) -> Any:
    asked = text(query.format(schema="holdfast"))
    found = await service.database.run(lambda connection: connection.execute(asked, {"id": generation_id}))
    return found.one()
