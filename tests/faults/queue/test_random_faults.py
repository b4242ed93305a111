"""A seeded sequence of faults, of workers and of Redis, for as long as `make faults` says."""

import asyncio
import os
import random
import signal
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import pytest
import redis.asyncio

from holdfast.embedded import RedisServer
from holdfast.queue import Queue, QueueUnavailable

SECONDS = float(os.environ.get("HOLDFAST_TEST_SECONDS", "60"))
SEED = int(os.environ.get("HOLDFAST_TEST_SEED", "1"))
AGAIN = (
    f"HOLDFAST_TEST_SECONDS={SECONDS:g} HOLDFAST_TEST_SEED={SEED} .venv/bin/python -m pytest -m long"
    f" --timeout {SECONDS * 2 + 300:g} {Path(__file__).relative_to(Path(__file__).parents[3])}"
)
WORKERS = 3
# Seconds after a job's end within which its result may not have got to Redis, which may have been away just then.
UNWRITTEN = 10.0


class Run(NamedTuple):
    """One execution of a job."""

    job_id: str
    pid: int
    begun: float  # monotonic, the same clock in all processes
    ended: float | None


class Havoc:
    """Does one random thing after another to the workers, Redis and the queue."""

    def __init__(self, server: RedisServer, child: Callable[..., Awaitable[Any]], queue: Queue) -> None:
        self.random = random.Random(SEED)
        self._server, self._child, self._queue = server, child, queue
        self.workers: list[Any] = []
        self.hurt: dict[int, list[tuple[float, float]]] = defaultdict(list)  # pid -> when it was frozen or ended
        self.done: list[str] = []

    async def hire(self) -> None:
        """One more worker process."""
        self.workers.append(await self._child(self._server.url, "witnessed", concurrency=5, grace=0.3))

    async def go_on_until(self, end: float) -> None:
        """One fault after another; afterwards everything is as it should be."""
        faults = [
            (self.kill_worker, 4), (self.freeze_worker, 4), (self.stop_worker, 2), (self.kill_redis, 3),
            (self.freeze_redis, 2), (self.pause_redis, 2), (self.cut_connections, 4), (self.fill_memory, 2),
            (self.pause_queue, 1),
        ]  # fmt: skip
        while monotonic() < end:
            (fault,) = self.random.choices([f for f, _ in faults], [weight for _, weight in faults])
            self.done.append(fault.__name__)
            await fault()
            await asyncio.sleep(self.random.uniform(0.1, 1.5))

    def _one(self) -> Any:
        return self.random.choice(self.workers)

    async def kill_worker(self) -> None:
        await self._end(self._one(), signal.SIGKILL)

    async def stop_worker(self) -> None:
        await self._end(self._one(), signal.SIGTERM)

    async def _end(self, worker: Any, how: signal.Signals) -> None:
        self.workers.remove(worker)
        self.hurt[worker.pid].append((monotonic(), monotonic() + 3_600))
        worker.signal(how)
        await self.hire()

    async def freeze_worker(self) -> None:
        worker, begun = self._one(), monotonic()
        worker.signal(signal.SIGSTOP)
        await asyncio.sleep(self.random.choice([0.2, 1.0, 4.0, 7.0]))
        worker.signal(signal.SIGCONT)
        self.hurt[worker.pid].append((begun, monotonic()))

    async def kill_redis(self) -> None:
        await asyncio.to_thread(self._server.kill)
        await asyncio.sleep(self.random.choice([0.0, 0.5, 2.0, 5.0]))
        await asyncio.to_thread(self._server.start)

    async def freeze_redis(self) -> None:
        assert self._server.pid is not None
        os.kill(self._server.pid, signal.SIGSTOP)
        await asyncio.sleep(self.random.choice([0.3, 2.0, 5.0]))
        os.kill(self._server.pid, signal.SIGCONT)

    async def pause_redis(self) -> None:
        async with redis.asyncio.Redis.from_url(self._server.url) as client:
            await client.client_pause(self.random.choice([300, 2_000, 4_000]))

    async def cut_connections(self) -> None:
        async with redis.asyncio.Redis.from_url(self._server.url) as client:
            for _ in range(self.random.randint(1, 10)):
                await client.client_kill_filter(_type=self.random.choice(["normal", "pubsub"]), skipme=True)
                await asyncio.sleep(self.random.uniform(0, 0.2))

    async def fill_memory(self) -> None:
        async with redis.asyncio.Redis.from_url(self._server.url) as client:
            await client.config_set("maxmemory", "1")
            await asyncio.sleep(self.random.choice([0.3, 2.0, 5.0]))
            await client.config_set("maxmemory", "0")

    async def pause_queue(self) -> None:
        await patiently(self._queue.pause)
        await asyncio.sleep(self.random.uniform(0, 1))
        await patiently(self._queue.resume)


async def patiently(call: Callable[[], Awaitable[Any]]) -> Any:
    """Call until Redis is there."""
    while True:
        try:
            return await call()
        except QueueUnavailable:
            await asyncio.sleep(0.1)


async def produce(queue: Queue, chance: random.Random, end: float) -> list[str]:
    """Add jobs, each as often as it takes."""
    added: list[str] = []
    while monotonic() < end:
        job_id = f"j-{len(added)}"
        options = {"delay": chance.choice([0, 0, 0.5, 3]), "priority": chance.choice([0, 0, 1, 5])}
        length = chance.uniform(0, 0.5)
        await patiently(
            lambda job_id=job_id, length=length, options=options: queue.add("x", length, job_id=job_id, **options)
        )
        added.append(job_id)
        await asyncio.sleep(chance.uniform(0, 0.1))
    return added


def runs_in(witness: Path) -> dict[str, list[Run]]:
    """What the workers wrote down, by job."""
    begun: dict[tuple[str, int], float] = {}
    runs: dict[str, list[Run]] = defaultdict(list)
    for line in witness.read_text().splitlines():
        what, job_id, pid, at = line.split()
        key = (job_id, int(pid))
        if what == "begun":
            if key in begun:
                runs[job_id].append(Run(*key, begun.pop(key), None))
            begun[key] = float(at)
        else:
            runs[job_id].append(Run(*key, begun.pop(key), float(at)))
    for key, at in begun.items():
        runs[key[0]].append(Run(*key, at, None))
    return runs


def was_hurt(run: Run, hurt: dict[int, list[tuple[float, float]]]) -> bool:
    """Whether its worker was killed, frozen or told to stop before its result was safe."""
    until = (run.ended or float("inf")) + UNWRITTEN
    return any(since < until and to > run.begun for since, to in hurt[run.pid])


@pytest.mark.long
async def test_no_sequence_of_faults_loses_a_job_or_runs_one_twice_whose_worker_was_well(
    own_redis: Any, child: Any, counted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = tmp_path / "witness"
    monkeypatch.setenv("HOLDFAST_TEST_WITNESS", str(witness))
    print(f"seed {SEED}; to run it again: {AGAIN}")  # noqa: T201 - shown when it fails
    async with Queue("q", url=own_redis.url, max_wait=1.0) as queue:
        havoc = Havoc(own_redis, child, queue)
        for _ in range(WORKERS):
            await havoc.hire()
        end = monotonic() + SECONDS
        async with asyncio.TaskGroup() as group:
            producing = group.create_task(produce(queue, random.Random(SEED + 1), end))

            await havoc.go_on_until(end)

        added = producing.result()
        print(f"{len(added)} jobs, {len(havoc.done)} faults: {' '.join(havoc.done)}")  # noqa: T201
        await patiently(lambda: counted(queue, within=90, completed=len(added)))
        states = await queue.states(added)
        findings = (await queue.audit()).findings

    assert states == dict.fromkeys(added, "completed")
    assert findings == ()
    runs = runs_in(witness)
    assert runs.keys() == set(added)
    for job_id, several in runs.items():
        well = [run for run in several if not was_hurt(run, havoc.hurt)]
        assert len(well) <= 1, (job_id, several)
        if well:  # nobody else had a reason to run it afterwards
            assert not [run for run in several if run.begun > well[0].begun], (job_id, several)
