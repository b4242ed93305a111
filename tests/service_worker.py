"""A worker of a service in the test's own process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from holdfast.service import Service


@asynccontextmanager
async def working(service: Service) -> AsyncIterator[None]:
    """A worker while the block runs; it must live through it."""
    stopping = asyncio.Event()
    task = asyncio.create_task(service.run_worker(stopping))
    try:
        yield
        assert not task.done(), "the worker must live through what happens"
    finally:
        stopping.set()
        await task
