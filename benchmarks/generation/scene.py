"""Servers, a stub provider, workers, and a generation that stands before its label stage."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import numpy as np
import psutil
from sqlalchemy import text

from holdfast.codeframe.values import Brief, ClusterResult, Exemplar, Phrase
from holdfast.embedded import PostgresServer, RedisServer
from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service, open_service
from holdfast.service.enqueueing import enqueue
from holdfast.service.stages import CLUSTER, LABEL, planner
from holdfast.settings import Settings
from holdfast.store import units
from holdfast.store.units import Done, NewUnit, UnitRef
from holdfast.stub import StubOptions, StubProvider

MODEL = "anthropic:stub-model"
BENCHMARKS = Path(__file__).resolve().parents[1]
ANSWER = "answer {n} of cluster {k}: the queue at the counter is long and nobody says how long it will take"


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Everything that runs beside the workers."""

    redis: RedisServer
    postgres: PostgresServer
    stub: StubProvider
    folder: Path

    def environment(self, *, concurrency: int, rpm: float | None) -> dict[str, str]:
        """What a worker has to know."""
        limits = {} if rpm is None else {"HOLDFAST_REQUESTS_PER_MINUTE": f"{rpm:g}"}
        return {
            **self.stub.environment(),
            "HOLDFAST_PRICES": json.dumps({MODEL: {"input": "3", "output": "15"}}),
            "REDIS_URL": self.redis.url,
            "DATABASE_URL": self.postgres.url,
            "HOLDFAST_HOME": str(self.folder / "home"),
            "HOLDFAST_CACHE": str(self.folder / "cache"),
            "HOLDFAST_CONCURRENCY": str(concurrency),
            "HOLDFAST_LOG": "json",
            **limits,
        }

    def cpu(self) -> dict[str, float]:
        """CPU seconds of each server until now."""
        pids = {"redis": self.redis.pid, "postgres": self.postgres.pid, "provider": self.stub.pid}
        return {name: _cpu_of(pid) for name, pid in pids.items() if pid is not None}


@contextmanager
def servers(*, latency_ms: float, rpm: float | None) -> Iterator[Servers]:
    """Empty ones, as `holdfast serve` starts them, and a provider with this latency and limit."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-bench-")).resolve()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        redis, postgres = RedisServer(folder / "redis"), PostgresServer(folder / "postgres")
        for server in (redis, postgres):
            server.start()
            stack.callback(server.stop)
        options = StubOptions(latency_ms=latency_ms, rpm=rpm)
        stub = stack.enter_context(StubProvider(folder / "provider", options))
        yield Servers(redis=redis, postgres=postgres, stub=stub, folder=folder)


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The settings that a process with this environment has."""
    with _environment(environment):
        return Settings()


@contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Crew:
    """Worker processes."""

    def __init__(self, count: int, environment: Mapping[str, str], log: IO[bytes]) -> None:
        path = os.pathsep.join([str(BENCHMARKS), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "generation.worker"],
                env={**os.environ, **environment, "PYTHONPATH": path},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
            for _ in range(count)
        ]

    def cpu(self) -> float:
        """CPU seconds of them all until now."""
        return sum(_cpu_of(each.pid) for each in self._processes)

    async def stop(self) -> list[dict[str, Any]]:
        """Let them end; returns what each has counted."""
        told = await asyncio.gather(*(asyncio.to_thread(each.communicate, None, 60) for each in self._processes))
        return [json.loads(out) for out, _ in told]

    def kill(self) -> None:
        for each in self._processes:
            with contextlib.suppress(ProcessLookupError):
                each.kill()
            each.wait()


@asynccontextmanager
async def workers(
    servers: Servers, service: Service, count: int, environment: Mapping[str, str]
) -> AsyncIterator[Crew]:
    """So many worker processes, all of them ready."""
    with (servers.folder / "workers.log").open("ab") as log:
        crew = Crew(count, environment, log)
        try:
            async with asyncio.timeout(60):
                while len(await service.queue.workers()) < count:  # noqa: ASYNC110 - other processes do the work
                    await asyncio.sleep(0.05)
            yield crew
        finally:
            crew.kill()


@asynccontextmanager
async def service_on(environment: Mapping[str, str]) -> AsyncIterator[Service]:
    async with open_service(settings_of(environment)) as service:
        yield service


async def generation(service: Service) -> tuple[UUID, UnitRef]:
    """A generation that has everything behind it but its clusters; and the unit that is to find them."""
    category = await service.imports.add_category(name=f"benchmark {os.urandom(4).hex()}")
    await service.imports.import_rows(category.id, [IncomingRow(text=f"answer {n}") for n in range(10)])
    config = GenerationConfig(n_clusters=2, model=MODEL)
    made = await service.generations.start(GenerationRequest(category_id=category.id, config=config))
    # Its first unit ends here before a worker has a look at it: there is none yet.
    plan = planner([NewUnit(stage=CLUSTER, ordinal=0)])
    done = Done(result={"n_distinct": 10, "embedder": "lsa"})
    await _set_state(service, made.generation.id, "paused")  # no worker shall find clusters before we do
    following = await service.database.run(partial(units.finish, ref=made.units[0], end=done, plan=plan))
    assert following
    return made.generation.id, following[0]


async def owe_labels(service: Service, unit: UnitRef, n_clusters: int) -> None:
    """End the unit with so many clusters, and put their labels into the queue."""
    done = Done(output=clusters(n_clusters).to_bytes(), result={"n_clusters": n_clusters, "notes": []})
    plan = planner([NewUnit(stage=LABEL, ordinal=k) for k in range(n_clusters)])
    following = await service.database.run(partial(units.finish, ref=unit, end=done, plan=plan))
    await _set_state(service, unit.generation_id, "active")
    await enqueue(service.queue, following or ())


async def _set_state(service: Service, generation_id: UUID, state: str) -> None:
    change = text("UPDATE holdfast.generations SET state = :state WHERE id = :id")
    await service.database.run(lambda connection: connection.execute(change, {"state": state, "id": generation_id}))


def clusters(count: int) -> ClusterResult:
    """So many clusters with briefs of a usual size: twelve answers, four of the neighbours', ten phrases."""
    return ClusterResult(
        labels=np.arange(count, dtype=np.int32),
        nearest=np.zeros((count, 3), dtype=np.int32),
        affinity=np.zeros((count, 3), dtype=np.float32),
        centroids=np.zeros((count, 4), dtype=np.float32),
        tree=np.zeros((max(0, count - 1), 4)),
        briefs=tuple(map(_brief, range(count))),
        automatic=False,
        notes=(),
    )


def _brief(k: int) -> Brief:
    said = [ANSWER.format(n=n, k=k) for n in range(16)]
    return Brief(
        k=k,
        n_answers=40,
        n_distinct=30,
        cohesion=0.6,
        exemplars=tuple(Exemplar(distinct=12 * k + n, text=text, weight=1) for n, text in enumerate(said[:12])),
        outsiders=tuple(said[12:]),
        neighbours=(),
        phrases=tuple(
            Phrase(text=f"long queue {n}", count=9.0, share=0.2, elsewhere=0.01, score=1.0) for n in range(10)
        ),
    )


def _cpu_of(pid: int) -> float:
    found = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:2]) for each in [found, *found.children(recursive=True)])
