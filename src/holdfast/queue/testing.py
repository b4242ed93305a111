"""For tests of programs that use a queue: run what waits, run one job by hand, wait for a state, start a Redis.

There is no fake Redis here: scripts are half of the queue. `redis_server()` starts a real one in a few milliseconds.
"""

import asyncio
import inspect
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Unpack

import orjson

from holdfast.errors import NotConfigured, QueueError
from holdfast.queue.client.events import Event, Events
from holdfast.queue.client.queue import Queue
from holdfast.queue.client.reading import State
from holdfast.queue.jobs.job import TAKEN_FIELDS, Job
from holdfast.queue.jobs.options import JobOptions
from holdfast.queue.work.execution import Processor, is_async
from holdfast.queue.work.worker import Tuning, Worker

LOOK = 0.25  # seconds between looks that no event asked for
START_TIMEOUT = 10.0  # seconds for a Redis to start


@dataclass(frozen=True, slots=True)
class WorkedOff:
    """What `work_off` saw end, in that order: job ids."""

    completed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def note(self, events: Sequence[Event]) -> None:
        """Add the jobs that ended."""
        self.completed.extend(event.job_id for event in events if event.kind == "completed" and event.job_id)
        self.failed.extend(event.job_id for event in events if event.kind == "failed" and event.job_id)


async def work_off(
    queue: Queue,
    processors: Mapping[str, Processor],
    *,
    delayed: bool = False,
    concurrency: int = 10,
    timeout: float = 30.0,  # noqa: ASYNC109 - the error says what is left
    **tuning: Unpack[Tuning],
) -> WorkedOff:
    """Run a worker until nothing waits and nothing is active.

    `delayed`: jobs that are delayed, by their adder or by a backoff, run at once as well. TimeoutError after `timeout`
    seconds says how many are left. A queue that is paused stays as it is. `tuning` is a
    Worker's; its `grace` is 1 second here.
    """
    ended = WorkedOff()
    async with queue.events(kinds=("completed", "failed", "retried", "drained")) as events:
        worker = Worker(queue, processors, concurrency=concurrency, **Tuning(signals=False, grace=1.0) | tuning)
        running = asyncio.create_task(worker.run())
        try:
            async with asyncio.timeout(timeout):
                while not running.done() and not await _is_done(queue, delayed=delayed):
                    ended.note(await _next(events))
        except TimeoutError:
            raise TimeoutError(f"not worked off within {timeout:g} s; left are {await queue.counts()}") from None
        finally:
            await worker.stop()
            await running
        ended.note(await events.up_to_now())
    return ended


async def _is_done(queue: Queue, *, delayed: bool) -> bool:
    if delayed:
        await queue.promote_all()
    counts = await queue.counts()
    return not (counts["wait"] or counts["active"] or (delayed and counts["delayed"]))


async def _next(events: Events) -> list[Event]:
    """The next event, or none when nothing happens for a while."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK):
            return [await anext(events)]
    return []


async def wait_for_state(queue: Queue, job_id: str, state: State, *, timeout: float = 10.0) -> None:  # noqa: ASYNC109
    """Return when the job is in this state; TimeoutError after so many seconds says where it is instead."""
    found: str | None = None
    async with queue.events() as events:
        try:
            async with asyncio.timeout(timeout):
                while (found := (await queue.states([job_id]))[job_id]) != state:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK):
                            while (await anext(events)).job_id != job_id:
                                pass
        except TimeoutError:
            where = found or "nowhere"
            raise TimeoutError(f"job {job_id} was not {state} within {timeout:g} s; it is {where}") from None


@dataclass(slots=True)
class Ran:
    """What a processor did with a job that was made by hand."""

    value: Any = None  # what it returned, as a reader of the result would see it
    progress: list[Any] = field(default_factory=list)  # each value it reported
    logs: list[str] = field(default_factory=list)


class _Recorder:
    """Stands where a worker reports to Redis."""

    def __init__(self, ran: Ran) -> None:
        self._ran = ran

    async def progress(self, _job_id: str, _token: str, progress: bytes, *, back: bool) -> bool:
        value, known = orjson.loads(progress), self._ran.progress[-1:]
        if not back and known and isinstance(value, int | float) and isinstance(known[0], int | float):
            value = max(value, known[0])
        self._ran.progress.append(value)
        return True

    async def log(self, _job_id: str, _token: str, line: str) -> None:
        self._ran.logs.append(line)


def make_job(
    name: str,
    data: Any = None,
    *,
    job_id: str = "test-1",
    attempts_made: int = 0,
    ran: Ran | None = None,
    **options: Any,
) -> Job:
    """A job as a processor gets it, without a Redis; its reports go to `ran`, its options are those of `Queue.add`."""
    wire = JobOptions().over(options).to_wire() | {"timestamp": 0}
    known: dict[str, bytes | None] = {"name": name.encode(), "data": orjson.dumps(data), "opts": orjson.dumps(wire)}
    if attempts_made:
        known["attemptsMade"] = str(attempts_made).encode()
    row = [known.get(each) for each in TAKEN_FIELDS]
    return Job(job_id, row, token="test:1", reports=_Recorder(ran or Ran()))  # noqa: S106 - no password


async def run_one(processor: Processor, data: Any = None, *, name: str = "test", **fields: Any) -> Ran:
    """Run a processor once, without a Redis: no lock, no retries, no timeout. What it raises is raised here.

    `fields` are those of `make_job`. QueueError when it returns what is no JSON value.
    """
    ran = Ran()
    job = make_job(name, data, ran=ran, **fields)
    value = await processor(job) if is_async(processor) else await asyncio.to_thread(processor, job)
    value = await value if inspect.isawaitable(value) else value
    try:
        ran.value = orjson.loads(orjson.dumps(value))
    except TypeError as error:
        raise QueueError(f"the processor's result is no JSON value: {error}") from error
    return ran


@contextmanager
def redis_server(*options: str) -> Iterator[str]:
    """Start a Redis of its own, empty, on a socket in a new folder; gives its URL and ends it afterwards.

    `options` go to redis-server, e.g. "--maxmemory", "50mb". NotConfigured when it is not installed or will not start.
    """
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise NotConfigured("there is no redis-server on the PATH; install Redis, or Valkey, to run these tests")
    with tempfile.TemporaryDirectory(prefix="holdfast-") as folder:
        path = Path(folder) / "redis.sock"
        log = Path(folder) / "log"
        fixed = ("--port", "0", "--unixsocket", str(path), "--save", "", "--dir", folder, "--logfile", str(log))
        process = subprocess.Popen([program, *fixed, *options], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        try:
            _wait_until_up(process, path, log)
            yield f"unix://{path}"
        finally:
            process.kill()
            process.wait()


def _wait_until_up(process: "subprocess.Popen[bytes]", path: Path, log: Path) -> None:
    end = monotonic() + START_TIMEOUT
    while not _answers(path):
        if process.poll() is not None or monotonic() > end:
            said = log.read_text(errors="replace")[-500:] if log.exists() else "nothing"
            raise NotConfigured(f"redis-server would not start; its last words: {said}")
        sleep(0.005)


def _answers(path: Path) -> bool:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        connection.connect(str(path))
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False
