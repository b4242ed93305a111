"""The faults: each happens to one peer on a server of its own, and gives the figures of one row.

Every job notes its runs in a file (start and end, with the monotonic clock), which no fault touches. The lock, or what
a peer has instead of it, is `LOCK` seconds for all, so that waiting for it is bounded.
"""

import os
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from queue_driver.disk import DiskWatch
from queue_driver.measures import Figures, Subject, scratch, wait_until
from queue_driver.programs import Failed, Feeder, WorkerProcess, closing

LOCK = 5.0  # seconds
CONCURRENCY = 5
JOBS = 30
JOB_SECONDS = 1.0
DURABLE_PRODUCERS, DURABLE_SECONDS = 6, 6.0  # a durable add takes as long as Redis takes to sync
AFTERMATH = 5.0  # seconds to look on when all is done: a second run may still come


@dataclass(slots=True)
class Story:
    """Two workers and a producer on one peer, and what they did."""

    subject: Subject
    folder: Path
    stack: ExitStack
    limit: float  # seconds that a fault may cost
    workers: list[WorkerProcess] = field(default_factory=list)
    told: set[int] = field(default_factory=set)  # ids of the jobs whose adding was acknowledged
    refused: list[str] = field(default_factory=list)  # the errors of the others
    faulted_at: float = 0.0

    def start_worker(self, **variables: str) -> WorkerProcess:
        settings = {"PEER_LOCK": f"{LOCK:g}"} | variables
        worker = self.subject.worker(CONCURRENCY, self.folder, **settings)
        self.stack.enter_context(closing(worker))
        self.workers.append(worker)
        return worker

    def start_feeder(self, **variables: str) -> Feeder:
        feeder = self.subject.feeder(PEER_LOCK=f"{LOCK:g}", **variables)
        self.stack.enter_context(closing(feeder))
        return feeder

    def add(self, feeder: Feeder, job_id: int, **more: float) -> None:
        if error := feeder.add({"id": job_id, **more}):
            self.refused.append(error)
        else:
            self.told.add(job_id)

    def ready(self, feeder: Feeder, worker: WorkerProcess) -> None:
        """Add short jobs until the worker has run one."""
        deadline = time.monotonic() + 25
        while not worker.noted:
            if worker.process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"a worker ran nothing: {worker.last_words()}")
            self.add(feeder, 1_000 + len(self.told))
            wait_until(lambda: worker.noted > 0, 0.3)

    def notes(self) -> list[tuple[int, str, int, float]]:
        """(job, start or end, process, seconds of the monotonic clock), of all workers, oldest first."""
        lines = [line.split() for worker in self.workers for line in worker.lines()]
        return sorted(
            ((int(job), word, int(pid), int(at) / 1e9) for job, word, pid, at in lines), key=lambda note: note[3]
        )

    def fault(self) -> None:
        self.faulted_at = time.monotonic()

    def finish(self) -> None:
        """Wait until all jobs have run to their end, at most `limit` seconds; then look on for a while."""
        wait_until(self._all_done, self.limit, 0.1)
        wait_until(lambda: self.subject.server.left(self.subject.peer) == 0, AFTERMATH, 0.1)

    def _all_done(self) -> bool:
        return self.told <= {job for job, word, _, _ in self.notes() if word == "end"}

    def finish_supervised(self) -> int:
        """The same, starting again each worker that ended by itself, as a supervisor does; how many did."""
        begun = len(self.workers)

        def look() -> bool:
            for worker in self.workers[:begun]:
                if worker.process.poll() is not None and worker not in ended:
                    ended.append(worker)
                    self.start_worker()
            return self._all_done()

        ended: list[WorkerProcess] = []
        wait_until(look, self.limit, 0.1)
        self.limit = 0.0  # it is over
        self.finish()
        return len(ended)

    def figures(self, resumed: float | None, **more: object) -> Figures:
        """What became of the jobs."""
        starts = Counter(job for job, word, _, _ in self.notes() if word == "start")
        ends = Counter(job for job, word, _, _ in self.notes() if word == "end")
        peer, server = self.subject.peer, self.subject.server
        counted = server.sum(peer.finished) if peer.finished else None
        return {
            "jobs": len(self.told),
            "runs": sum(starts[job] for job in self.told),
            "most_runs": max((starts[job] for job in self.told), default=0),
            "run_again": sum(starts[job] > 1 for job in self.told),
            "done_twice": sum(ends[job] > 1 for job in self.told),
            "not_done": len(self.told - set(ends)),
            "stuck": server.left(peer),
            "lost": max(0, len(self.told - set(ends)) - server.left(peer)),
            "count_off": None if counted is None else counted + server.left(peer) - len(self.told | set(ends)),
            "resumed_s": resumed,
            **({"refused": len(self.refused), "refusal": self.refused[0]} if self.refused else {}),
            **more,
        }

    def resumed(self, jobs: Iterable[int]) -> float | None:
        """Seconds from the fault until the last of these jobs was started again; None when one was not."""
        again: dict[int, float] = defaultdict(float)
        for job, word, _, at in self.notes():
            if word == "start" and at > self.faulted_at:
                again.setdefault(job, at - self.faulted_at)
        wanted = set(jobs)
        return max((again[job] for job in wanted), default=None) if wanted <= set(again) else None


def _two_at_work(story: Story) -> tuple[WorkerProcess, WorkerProcess]:
    """Two workers with jobs of a second each; the first has several under way."""
    first, second, feeder = story.start_worker(), story.start_worker(), story.start_feeder()
    story.ready(feeder, first)
    story.ready(feeder, second)
    for number in range(JOBS):
        story.add(feeder, number, sleep=JOB_SECONDS)
    if not wait_until(lambda: len(_held(first)) >= 2, 30):
        raise Failed("the first worker never held two jobs at the same time")
    return first, second


def _held(worker: WorkerProcess) -> set[int]:
    notes = [line.split() for line in worker.lines()]
    ended = {int(job) for job, word, *_ in notes if word == "end"}
    return {int(job) for job, word, *_ in notes if word == "start" and int(job) < JOBS} - ended


def worker_killed(story: Story) -> Figures:
    """SIGKILL to a worker that holds jobs; another one is there."""
    first, _ = _two_at_work(story)
    story.fault()
    first.kill()
    held = _held(first)
    story.finish()
    return story.figures(story.resumed(held), held=len(held))


def worker_stopped(story: Story) -> Figures:
    """SIGTERM to a worker that holds jobs, as a deployment does."""
    first, _ = _two_at_work(story)
    story.fault()
    first.signal(signal.SIGTERM, all_of_it=False)
    left = wait_until(lambda: first.process.poll() is not None, 30)
    gone = time.monotonic() - story.faulted_at if left else None
    story.finish()
    return story.figures(gone)


def worker_frozen(story: Story) -> Figures:
    """SIGSTOP to a worker that holds jobs for three times the lock, then SIGCONT."""
    first, _ = _two_at_work(story)
    story.fault()
    held = _held(first)
    first.signal(signal.SIGSTOP)
    time.sleep(3 * LOCK)  # the fault: frozen for so long
    first.signal(signal.SIGCONT)
    story.finish()
    return story.figures(story.resumed(held), held=len(held))


def loop_blocked(story: Story) -> Figures:
    """A processor that lets nothing else run in its worker for three times the lock."""
    first, feeder = story.start_worker(), story.start_feeder()
    story.ready(feeder, first)
    story.add(feeder, 0, block=3 * LOCK)
    first.wait_noted(more_than=first.noted)
    story.fault()
    second = story.start_worker(PEER_SLEEP="0")
    story.ready(feeder, second)
    wait_until(lambda: any(line.startswith("0 end") for line in first.lines()), 3 * LOCK + 5)
    story.finish()
    return story.figures(None)


def redis_killed(story: Story) -> Figures:
    """SIGKILL to redis-server while jobs run; it comes back on its files after two seconds."""
    _two_at_work(story)
    story.subject.server.kill()
    time.sleep(2.0)  # the fault: Redis is away for so long
    story.subject.server.start()
    story.fault()
    ended = story.finish_supervised()
    later = [at for _, word, _, at in story.notes() if word == "start" and at > story.faulted_at]
    return story.figures(later[0] - story.faulted_at if later else None, workers_ended=ended)


def power_cut(story: Story) -> Figures:
    """Jobs are added; redis-server is killed and the last second of its AOF is gone, as a power cut may leave it."""
    server, feeder = story.subject.server, story.start_feeder()
    sizes: list[tuple[float, int]] = []
    begun, number = time.monotonic(), 0
    while time.monotonic() - begun < 3.0 and number < 200:
        story.add(feeder, number)
        number += 1
        sizes.append((time.monotonic(), server.aof().stat().st_size))
        time.sleep(0.012)  # so that 200 adds take longer than the second that is cut off
    last_second = time.monotonic() - 1.0
    server.kill()
    return _after_the_cut(story, max((size for at, size in sizes if at <= last_second), default=0))


def power_cut_durable(story: Story) -> Figures:
    """Jobs are added with durable=True; redis-server is killed and what its disk had not got of the AOF is gone."""
    server = story.subject.server
    feeders = [story.start_feeder(PEER_DURABLE="1") for _ in range(DURABLE_PRODUCERS)]
    hasty = story.start_feeder()
    until = time.monotonic() + DURABLE_SECONDS

    def add(producer: int) -> None:
        number = producer * 1_000
        while time.monotonic() < until:
            story.add(feeders[producer], number)
            number += 1
            time.sleep(0.01)  # a producer's pace, the same for all

    with DiskWatch(server.aof()) as disk, ThreadPoolExecutor(DURABLE_PRODUCERS) as together:
        producing = [together.submit(add, producer) for producer in range(DURABLE_PRODUCERS)]
        wait_until(lambda: time.monotonic() > until - 0.3, DURABLE_SECONDS + 1)
        for number in range(5):  # so that there is something to cut
            hasty.add({"id": 100_000 + number})
        server.kill()  # while durable adds are under way
        on_disk = disk.synced
        for each in producing:
            each.cancel()
            with suppress(Failed):
                each.result()
    return _after_the_cut(story, on_disk)


def _after_the_cut(story: Story, kept: int) -> Figures:
    server = story.subject.server
    file = server.aof()
    cut = file.stat().st_size - kept
    story.fault()
    os.truncate(file, kept)
    server.start()
    worker = story.start_worker()
    if story.told:
        wait_until(lambda: worker.noted > 0, 25)
    story.limit = 5.0  # what is gone does not come
    story.finish()
    return story.figures(None, bytes_cut=cut)


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind, and how it reads in the table."""

    name: str
    title: str
    act: Callable[[Story], Figures]
    seconds: str = ""  # what `resumed_s` is here
    only: str = ""  # the one peer it is for


FAULTS: Sequence[Fault] = (
    Fault("worker-killed", "SIGKILL of a worker that holds jobs", worker_killed, "until its jobs run again"),
    Fault("worker-stopped", "SIGTERM of a worker that holds jobs", worker_stopped, "until it has ended"),
    Fault("worker-frozen", "a worker frozen for 3 locks, then let go", worker_frozen, "until its jobs run again"),
    Fault("loop-blocked", "a processor that blocks its worker for 3 locks", loop_blocked),
    Fault("redis-killed", "SIGKILL of Redis, back after 2 s", redis_killed, "until a job is started"),
    Fault("power-cut", "the AOF's last second cut off", power_cut),
    Fault("power-cut-durable", "what the disk had not got cut off, durable adds", power_cut_durable, only="holdfast"),
)
BY_NAME = {fault.name: fault for fault in FAULTS}


def suffer(subject: Subject, fault: Fault, limit: float) -> Figures:
    """Let it happen to a peer."""
    with scratch() as folder, ExitStack() as stack:
        return fault.act(Story(subject, folder, stack, limit))
