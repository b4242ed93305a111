"""The whole product in many processes: real servers, real workers, real kills; and the checks all of them end with."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from holdfast.embedded import RedisServer
from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service, Status
from holdfast.settings import Settings

TOPICS = (
    "The waiting time was far too long, {n} minutes in the queue",
    "Staff were friendly and very kind to me on day {n}",
    "Parking is expensive, I paid {n} pounds for the car park",
    "The food was cold and had no taste, {n} times",
)


@dataclass
class Stack:
    """One deployment: its servers and the processes that a test started."""

    redis: RedisServer
    database_url: str
    home: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def settings(self) -> Settings:
        return Settings(
            redis_url_given=self.redis.url, database_url=self.database_url, home=self.home, reconcile_seconds=0.5
        )

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """`holdfast ARGUMENTS` as a process of its own."""
        changed = {
            "REDIS_URL": self.redis.url,
            "DATABASE_URL": self.database_url,
            "HOLDFAST_HOME": str(self.home),
            "HOLDFAST_RECONCILE_SECONDS": "0.5",
            "HOLDFAST_LOG": "json",
        }
        log = (self.home / f"process-{len(self.processes)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-m", "holdfast", *arguments],
            env=os.environ | changed | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        return process

    def log_of(self, process: subprocess.Popen[str]) -> str:
        return (self.home / f"process-{self.processes.index(process)}.log").read_text()

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


async def generation_of(service: Service, *, clusters: int | None = 6, answers: int = 120, **config: Any) -> UUID:
    """A generation of real-looking answers, committed and enqueued."""
    category = await service.imports.add_category(name="faults")
    rows = [IncomingRow(text=TOPICS[n % len(TOPICS)].format(n=n)) for n in range(answers)]
    await service.imports.import_rows(category.id, rows)
    wanted = GenerationConfig(n_clusters=clusters, **config)
    request = GenerationRequest(category_id=category.id, config=wanted)
    return (await service.generations.start(request)).generation.id


async def until(
    service: Service, generation_id: UUID, reached: Callable[[Status], bool], *, within: float = 60.0
) -> list[Status]:
    """Watch the status until it is `reached`; every one seen on the way. Fails with the last one after `within` s."""
    seen: list[Status] = []
    try:
        async with asyncio.timeout(within):
            while not seen or not reached(seen[-1]):
                await asyncio.sleep(0.05)  # how often the status is sampled
                seen.append(await service.generations.status(generation_id))
    except TimeoutError:
        pytest.fail(f"not reached within {within} s; last status: {seen[-1:]}")
    return seen


async def died(process: subprocess.Popen[str], *, within: float = 150.0) -> None:
    """Wait until the process was killed by its armed fault point."""
    code = await asyncio.to_thread(process.wait, within)
    assert code == -signal.SIGKILL, f"it ended with {code} instead"


async def check_invariants(service: Service, generation_id: UUID, *, doubts: int = 0) -> None:
    """No unit lost, no label made twice but for the calls in doubt, each job in exactly one place."""
    sql = "SELECT state, count(*) AS n FROM holdfast.units WHERE generation_id = :id GROUP BY state"
    rows = await service.database.run(lambda c: c.execute(text(sql), {"id": generation_id}))
    assert {row.state for row in rows.all()} == {"done"}
    sql = (
        "SELECT step, count(*) FILTER (WHERE state = 'replied') AS replied, count(*) AS n FROM holdfast.calls"
        " WHERE generation_id = :id GROUP BY step"
    )
    steps = (await service.database.run(lambda c: c.execute(text(sql), {"id": generation_id}))).all()
    status = await service.generations.status(generation_id)
    assert len(steps) == status.n_clusters
    assert all(step.replied == 1 for step in steps)
    assert sum(step.n for step in steps) == status.n_clusters + doubts
    assert status.ledger.n_in_doubt == doubts
    census = await service.generations.census(generation_id)
    assert census.in_two_states == 0
    assigned = (await service.generations.hierarchy(generation_id)).n_assigned
    assert assigned == status.n_answers
