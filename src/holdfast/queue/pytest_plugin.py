"""Fixtures for pytest: put `pytest_plugins = ["holdfast.queue.pytest_plugin"]` into the conftest.py at the top."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest

from holdfast.errors import NotConfigured
from holdfast.queue.client.queue import Queue
from holdfast.queue.testing import redis_server

URL = "HOLDFAST_TEST_REDIS_URL"


@pytest.fixture(scope="session")
def holdfast_redis() -> Iterator[str]:
    """The URL of a Redis for this session: one of its own, or that of HOLDFAST_TEST_REDIS_URL; skips without either."""
    if URL in os.environ:
        yield os.environ[URL]
        return
    with ExitStack() as stack:
        try:
            url = stack.enter_context(redis_server())
        except NotConfigured as error:
            pytest.skip(str(error))
        yield url


@pytest.fixture
async def holdfast_queue(holdfast_redis: str) -> AsyncIterator[Queue]:
    """An empty queue of the test's own; needs pytest-asyncio in its auto mode, or anyio."""
    async with Queue(f"test-{secrets.token_hex(4)}", url=holdfast_redis) as queue:
        yield queue
        await queue.obliterate(force=True)
