"""Workers in processes of their own, and in this one; what they said; and a wire that can be cut."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
import structlog
from tests.faults.queue.wire import Wire

from holdfast.embedded import RedisServer
from holdfast.queue import Queue, Worker

CHILD = Path(__file__).parent / "child.py"
SRC = Path(__file__).parents[3] / "src"


class Child:
    """A worker process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.said.append(json.loads(line))
            self._news.set()
        self._news.set()

    async def says(self, event: str, count: int = 1) -> dict[str, Any]:
        """Wait until it has said this so often; returns the last."""
        async with asyncio.timeout(40):
            while len(heard := [line for line in self.said if line["event"] == event]) < count:
                self._news.clear()
                await self._news.wait()
        return heard[-1]

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def exit_code(self) -> int:
        """What it ended with, once it has."""
        async with asyncio.timeout(40):
            return await self._process.wait()

    async def end(self) -> None:
        """Kill it, frozen or not, and read the rest of what it said."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self.reading


@pytest.fixture
async def child() -> AsyncIterator[Callable[..., Awaitable[Child]]]:
    """`await child(url, "forever", lock_duration=30)` starts a worker process with a processor of child.py."""
    async with AsyncExitStack() as stack:

        async def start(url: str, processor: str, **options: float) -> Child:
            arguments = [f"{name}={value}" for name, value in options.items()]
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(CHILD),
                url,
                processor,
                *arguments,
                env=os.environ | {"PYTHONPATH": str(SRC)},
                stdout=asyncio.subprocess.PIPE,
            )
            started = Child(process)
            stack.push_async_callback(started.end)
            return started

        yield start


@pytest.fixture
def working() -> Callable[..., AbstractAsyncContextManager[Worker]]:
    """`async with working(queue, {"x": processor}, …) as worker:` runs a worker in this process, and stops it."""

    @asynccontextmanager
    async def run(queue: Queue, processors: dict[str, Any], **options: Any) -> AsyncIterator[Worker]:
        worker = Worker(queue, processors, **{"grace": 2.0} | options)
        running = asyncio.create_task(worker.run())
        try:
            yield worker
            assert not running.done(), "the worker must live through the fault"
        finally:
            await worker.stop()
            await running

    return run


@pytest.fixture
def counted() -> Callable[..., Awaitable[None]]:
    """`await counted(queue, completed=3)` waits until exactly these states hold so many jobs."""

    async def wait(queue: Queue, *, within: float = 40, **expected: int) -> None:
        want = dict.fromkeys(("wait", "active", "completed", "failed", "delayed", "paused"), 0) | expected
        found: dict[str, int] = {}
        try:
            async with asyncio.timeout(within):
                while found != want:
                    await asyncio.sleep(0.02)
                    found = await queue.counts()
        except TimeoutError:
            assert found == want

    return wait


@pytest.fixture
def vigilant() -> Callable[..., Awaitable[None]]:
    """`await vigilant(queue)` waits until its workers would take over at once: they do not in their first seconds."""

    async def wait(queue: Queue) -> None:
        async with redis.asyncio.Redis.from_url(queue.url) as client, asyncio.timeout(40):
            last = quiet = 0
            while last <= quiet:
                await asyncio.sleep(0.05)
                last, quiet, _ = map(int, (await client.get(queue.keys.watch) or b"0:0:0").split(b":"))

    return wait


@pytest.fixture
async def wire(redis_url: str) -> AsyncIterator[Wire]:
    """A wire to the session's Redis."""
    async with Wire(redis_url).laid() as wire:
        yield wire


@pytest.fixture
async def own_wire(own_redis: RedisServer) -> AsyncIterator[Wire]:
    """A wire to the test's own Redis."""
    async with Wire(own_redis.url).laid() as wire:
        yield wire


class Tape:
    """The append-only file of the test's own Redis, which can be wound back."""

    def __init__(self, server: RedisServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._marks: dict[Path, int] = {}

    def mark(self) -> None:
        """Remember this moment; nothing may be on its way to Redis whose fate matters."""
        self._marks = {path: path.stat().st_size for path in self._folder.rglob("*.aof")}
        assert self._marks

    def rewind(self) -> None:
        """Kill Redis and cut off what it had written since the mark, as a power cut may; the test starts it again."""
        self._server.kill()
        for path, size in self._marks.items():
            os.truncate(path, size)

    def erase(self) -> None:
        """Kill Redis and take its data away, as a new disk would."""
        self._server.kill()
        for path in self._folder.rglob("*.aof*"):
            path.unlink(missing_ok=True)


@pytest.fixture
def tape(own_redis: RedisServer, own_folder: Path) -> Tape:
    """Winds the test's own Redis back."""
    return Tape(own_redis, own_folder)


@pytest.fixture(autouse=True)
def _structlog_as_it_was() -> Iterator[None]:
    """capture_logs leaves structlog configured, which makes the queue talk."""
    yield
    structlog.reset_defaults()
