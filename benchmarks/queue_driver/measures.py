"""The measurements: each takes one peer on one server and gives the figures of one row."""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from queue_driver import programs
from queue_driver.catalogue import PEERS, Peer
from queue_driver.environments import Environment
from queue_driver.programs import Failed, Feeder, WorkerProcess, closing
from queue_driver.server import Server

Figures = dict[str, Any]
WARM_SHARE, WARM_SECONDS = 0.2, 0.5  # of a backlog, or seconds: what a worker runs before it is measured
PICK_UP_LIMIT = 6.0  # seconds for all samples: a peer that polls gets fewer
FILL_LIMIT = 30.0  # seconds a peer gets to fill its backlog; more for a very large one


@dataclass(frozen=True, slots=True)
class Subject:
    """One peer, its environment and the server it is measured on."""

    peer: Peer
    environment: Environment
    server: Server

    @property
    def template(self) -> int:
        """The database that keeps the peer's backlog to be copied from."""
        return 1 + PEERS.index(self.peer)

    def worker(self, concurrency: int, folder: Path, **variables: str) -> WorkerProcess:
        return WorkerProcess(self.environment, self.server.url, concurrency, folder, **variables)

    def feeder(self, **variables: str) -> Feeder:
        return Feeder(self.environment, self.server.url, **variables)

    def add(self, how: str, count: int, seconds: float, **variables: str) -> Figures:
        return programs.add(self.environment, self.server.url, how, count, seconds, **variables)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory for the witness files, where there is one: a slow disk must not count."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of a random name is made in it
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-", dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters of Redis and of the workers at one moment."""

    at: float
    left: int
    redis_cpu: float
    worker_cpu: float
    commands: int  # also those that scripts run
    reads: int  # times that Redis read from a client: round trips
    bytes_in: int
    bytes_out: int
    memory: int

    @classmethod
    def take(cls, subject: Subject, workers: Sequence[WorkerProcess]) -> "Reading":
        client = subject.server.client
        left, at = subject.server.left(subject.peer), time.perf_counter()
        told = client.info("everything")
        return cls(
            at=at,
            left=left,
            redis_cpu=told["used_cpu_sys"] + told["used_cpu_user"],
            worker_cpu=sum(worker.cpu_seconds() for worker in workers),
            commands=sum(each["calls"] for name, each in told.items() if name.startswith("cmdstat_")),
            reads=told["total_reads_processed"],
            bytes_in=told["total_net_input_bytes"],
            bytes_out=told["total_net_output_bytes"],
            memory=told["used_memory"],
        )


def fill(subject: Subject, count: int) -> int:
    """Put the peer's backlog of no-op jobs into the database worked in; how many. Made by its producer only once.

    A slow producer's backlog is what it added in its time, if that is a tenth at least.
    """
    server, name = subject.server, subject.peer.name
    server.tidy()
    known = server.backlogs.get(name)
    if known is not None and known[0] == count:
        server.copy(subject.template, 0)
        return known[1]
    added = _add_all(subject, count, at_least=count // 10 if count < 100_000 else count)
    server.copy(0, subject.template)
    server.backlogs[name] = (count, added)
    return added


def _add_all(subject: Subject, count: int, *, at_least: int) -> int:
    limit = max(FILL_LIMIT, count / 4_000)
    added = int(subject.add("bulk", count, limit)["added"])
    if added < at_least:
        raise Failed(f"only {added:,} of {count:,} jobs could be added within {limit:g} s")
    return added


def rate(subject: Subject, *, concurrency: int, workers: int, waiting: int, window: float) -> Figures:
    """Jobs a second that do nothing, from the moment all workers run and are warm, for at most `window` seconds."""
    waiting = fill(subject, waiting)
    with scratch() as folder:
        running = [subject.worker(concurrency, folder) for _ in range(workers)]
        with closing(*running):
            return _rate_of(subject, running, waiting, window)


def _rate_of(subject: Subject, running: Sequence[WorkerProcess], waiting: int, window: float) -> Figures:
    for worker in running:
        worker.wait_noted()

    def noted() -> int:
        return sum(worker.noted for worker in running)

    wait_until(lambda: noted() >= waiting * WARM_SHARE, WARM_SECONDS)
    before = Reading.take(subject, running)
    if before.left == 0:
        raise Failed("all jobs were done before the measurement began; use a larger backlog")
    wait_until(lambda: noted() >= waiting, window)
    if noted() >= waiting:
        wait_until(lambda: subject.server.left(subject.peer) == 0, 0.5)
    after = Reading.take(subject, running)
    done = before.left - after.left
    if done <= 0:
        raise Failed(f"no job was done within {window:g} s")
    return {
        "jobs_per_second": done / (after.at - before.at),
        "filled": waiting,
        "measured_jobs": done,
        "runs": noted(),
        "commands_per_job": (after.commands - before.commands) / done,
        "reads_per_job": (after.reads - before.reads) / done,
        "redis_us_per_job": (after.redis_cpu - before.redis_cpu) / done * 1e6,
        "worker_us_per_job": (after.worker_cpu - before.worker_cpu) / done * 1e6,
        "net_bytes_per_job": (after.bytes_in + after.bytes_out - before.bytes_in - before.bytes_out) / done,
        "memory_growth_per_job": (after.memory - before.memory) / done,
    }


def adds(subject: Subject, *, how: str, count: int, seconds: float, **variables: str) -> Figures:
    """Adds a second by one producer: one awaited after the other, or many at a time."""
    subject.server.tidy()
    return _adds_of(subject, how, count, seconds, variables)


def _adds_of(subject: Subject, how: str, count: int, seconds: float, variables: dict[str, str]) -> Figures:
    before = Reading.take(subject, [])
    told = subject.add(how, count, seconds, **variables)
    after = Reading.take(subject, [])
    if told["timed"] < 1 or told["seconds"] <= 0:
        raise Failed("nothing was added")
    return {
        "adds_per_second": told["timed"] / told["seconds"],
        "measured_jobs": told["timed"],
        "redis_us_per_job": (after.redis_cpu - before.redis_cpu) / told["added"] * 1e6,
        "memory_per_job": (after.memory - before.memory) / told["added"],
    }


def pick_up(subject: Subject, *, samples: int, idle_seconds: float) -> Figures:
    """Milliseconds from before the add to the start of the job, on an idle queue; then the commands of idleness."""
    subject.server.tidy()
    with scratch() as folder:
        worker, feeder = subject.worker(10, folder), subject.feeder()
        with closing(worker, feeder):
            feeder.add({"t": 0})
            worker.wait_noted()
            time.sleep(1.0)  # let what starts once be over
            deadline = time.monotonic() + PICK_UP_LIMIT
            for _ in range(samples):
                before = worker.noted
                feeder.add({"t": 0})
                worker.wait_noted(more_than=before)
                time.sleep(random.uniform(0.005, 0.03))  # at no fixed moment of any poll
                if time.monotonic() > deadline:
                    break
            latencies = [int(line) / 1e6 for line in worker.lines()[1:]]
            idle = _idle(subject, worker, idle_seconds)
    return {
        "samples": len(latencies),
        "p50_ms": statistics.median(latencies),
        "p99_ms": sorted(latencies)[min(len(latencies) - 1, int(len(latencies) * 0.99))],
        **idle,
    }


def _idle(subject: Subject, worker: WorkerProcess, seconds: float) -> Figures:
    time.sleep(0.5)  # what the last job left to do is over
    first, before = Reading.take(subject, [worker]), Reading.take(subject, [worker])  # what taking one costs itself
    time.sleep(seconds)  # idleness is what is measured
    after = Reading.take(subject, [worker])
    passed = after.at - before.at
    commands = after.commands - before.commands - (before.commands - first.commands)
    reads = after.reads - before.reads - (before.reads - first.reads)
    return {
        "idle_commands_per_second": max(0, commands) / passed,
        "idle_reads_per_second": max(0, reads) / passed,
        "idle_worker_cpu_percent": (after.worker_cpu - before.worker_cpu) / passed * 100,
    }


def take_over(subject: Subject, *, limit: float, jobs: int = 5) -> Figures:
    """Seconds from the SIGKILL of a worker to the start of the first and the last of its jobs on another worker."""
    subject.server.tidy()
    with scratch() as folder:
        first, feeder = subject.worker(jobs, folder), subject.feeder()
        with closing(first, feeder):
            for number in range(jobs):
                feeder.add({"id": number, "sleep": 600})
            wait_until(lambda: len(first.lines()) >= jobs, 30)
            held = {line.split()[0] for line in first.lines()}
            second = subject.worker(10, folder, PEER_SLEEP="0")
            with closing(second):
                _probe(feeder, second)
                first.kill()
                return _taken(second, held, limit)


def _probe(feeder: Feeder, worker: WorkerProcess) -> None:
    """Add jobs until the worker has run one; a full worker that takes in advance may swallow some."""
    deadline = time.monotonic() + 25
    number = 1_000
    while not worker.noted:
        if time.monotonic() > deadline:
            raise Failed(f"the second worker ran nothing: {worker.last_words()}")
        feeder.add({"id": number, "sleep": 0})
        number += 1
        wait_until(lambda: worker.noted > 0, 0.5)


def _taken(worker: WorkerProcess, held: set[str], limit: float) -> Figures:
    begun = time.monotonic()
    seen: dict[str, float] = {}
    while len(seen) < len(held) and time.monotonic() - begun < limit:
        for line in worker.lines():
            seen.setdefault(line.split()[0], time.monotonic() - begun) if line.split()[0] in held else None
        time.sleep(0.02)  # a file that workers append to tells nobody; the error is far below a take-over
    times = sorted(seen.values())
    return {
        "held": len(held),
        "taken": len(times),
        "limit": limit,
        "first_s": times[0] if times else None,
        "last_s": times[-1] if len(times) == len(held) else None,
    }


def with_active(subject: Subject, *, active: int, concurrency: int, waiting: int, window: float) -> Figures:
    """The rate of one worker while another holds so many jobs that take long."""
    subject.server.tidy()
    with scratch() as folder:
        holder = subject.worker(active, folder, PEER_HOLD="600")
        with closing(holder):
            subject.add("bulk", active, FILL_LIMIT)
            if not wait_until(lambda: holder.noted >= active, 60):
                raise Failed(f"{active:,} jobs were not all started within 60 s")
            subject.add("bulk", waiting, FILL_LIMIT)
            if subject.server.left(subject.peer) != active + waiting or holder.noted != active:
                raise Failed(f"the {active:,} running jobs did not stay as they were: {holder.last_words()}")
            worker = subject.worker(concurrency, folder)
            with closing(worker):
                return _rate_of(subject, [worker], waiting, window)


def prioritized_adds(subject: Subject, *, waiting: int, count: int, seconds: float) -> Figures:
    """Adds a second of jobs with a priority, one after the other, to a queue that holds so many without one."""
    subject.server.tidy()
    _add_all(subject, waiting, at_least=waiting)
    return _adds_of(subject, "single", count, seconds, {"PEER_PRIORITY": "1"})


def wait_until(condition: Callable[[], bool], limit: float, pause: float = 0.001) -> bool:
    """Whether it became true within `limit` seconds, looking every `pause` seconds."""
    deadline = time.perf_counter() + limit
    while not condition():
        if time.perf_counter() > deadline:
            return False
        time.sleep(pause)  # the conditions are files and processes of others: nothing there can be awaited
    return True
