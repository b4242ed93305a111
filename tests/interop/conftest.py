"""Bull in a node process beside our queue, on the session's Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.faults.queue.conftest import child
from tests.integration.queue.conftest import client, counted, queue, until, working
from tests.interop.bridge import Node
from tests.interop.packages import installed

__all__ = ["child", "client", "counted", "queue", "until", "working"]


@pytest.fixture(scope="session")
def packages() -> Path:
    """Bull and Bull Board, installed."""
    return installed()


@pytest.fixture
async def start_node(packages: Path, redis_url: str) -> AsyncIterator[Callable[[], Awaitable[Node]]]:
    """`await start_node()` starts a node process with Bull, on an empty Redis."""
    async with AsyncExitStack() as stack:

        async def start() -> Node:
            node = await Node.start(packages, redis_url)
            stack.push_async_callback(node.end)
            return node

        yield start


@pytest.fixture
async def node(start_node: Callable[[], Awaitable[Node]]) -> Node:
    """A node process with Bull, on an empty Redis."""
    return await start_node()
