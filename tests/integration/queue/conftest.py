"""A queue on the session's Redis, workers that stop with the test, and a way to wait for what must become true."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import redis.asyncio
import structlog

from holdfast.queue import Queue, Worker

Until = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
Working = Callable[..., AbstractAsyncContextManager[Worker]]


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[Queue]:
    """A queue on an empty Redis."""
    async with Queue("q", url=redis_url) as queue:
        yield queue


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator["redis.asyncio.Redis"]:
    """What `redis-cli` would see."""
    async with redis.asyncio.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def working(queue: Queue) -> Working:
    """`async with working({"name": processor}, …) as worker:` runs a worker, and stops it."""

    @asynccontextmanager
    async def run(processors: Mapping[str, Any], **options: Any) -> AsyncIterator[Worker]:
        worker = Worker(options.pop("queue", queue), processors, **{"grace": 2.0} | options)
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            await worker.stop()
            await running

    return run


@pytest.fixture
def until() -> Until:
    """Waits until an async condition is true and returns what it gave; fails after thirty seconds."""

    async def wait(condition: Callable[[], Awaitable[Any]]) -> Any:
        async with asyncio.timeout(30):
            while not (value := await condition()):
                await asyncio.sleep(0.01)
            return value

    return wait


@pytest.fixture
def counted(queue: Queue, until: Until) -> Callable[..., Awaitable[None]]:
    """`await counted(completed=3)` waits until exactly these states hold so many jobs, and no other holds any."""

    async def wait(**expected: int) -> None:
        want = dict.fromkeys(("wait", "active", "completed", "failed", "delayed", "paused"), 0) | expected

        async def reached() -> bool:
            return await queue.counts() == want

        try:
            await until(reached)
        except TimeoutError:
            assert await queue.counts() == want

    return wait


@pytest.fixture(autouse=True)
def _structlog_as_it_was() -> Iterator[None]:
    """capture_logs leaves structlog configured, which makes the queue talk."""
    yield
    structlog.reset_defaults()
