"""A deployment of its own for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.faults.service.stack import Stack

from holdfast.embedded import RedisServer
from holdfast.service import Service, open_service
from holdfast.stub import StubProvider


@pytest.fixture
def stack(own_redis: RedisServer, database_url: str, tmp_path: Path) -> Iterator[Stack]:
    made = Stack(redis=own_redis, database_url=database_url, home=tmp_path)
    yield made
    made.stop()


@pytest.fixture
def paying(provider: StubProvider, monkeypatch: pytest.MonkeyPatch) -> StubProvider:
    """A provider that this process and those it starts buy from. Ask for it before `service`."""
    for name, value in provider.environment().items():
        monkeypatch.setenv(name, value)
    return provider


@pytest.fixture
async def service(stack: Stack) -> AsyncIterator[Service]:
    async with open_service(stack.settings()) as opened:
        yield opened
