"""The app over a stand-in that raises what it is told to: for what becomes of errors, and nothing else."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeAlias, cast

import httpx
import pytest

from holdfast.api import create_app
from holdfast.service import Service
from holdfast.settings import Settings

Ask: TypeAlias = Callable[..., Any]


@dataclass(frozen=True)
class Raising:
    """Every use-case of it raises."""

    error: Exception | None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def use_case(*_: object, **__: object) -> None:
            if self.error is not None:
                raise self.error

        return use_case


@pytest.fixture
def ask() -> Ask:
    """A client of an app whose service raises `error`; `settings` as of the environment."""

    @asynccontextmanager
    async def opened(
        error: Exception | None = None, *, hosts: tuple[str, ...] = (), url: str = "http://127.0.0.1", **settings: Any
    ) -> AsyncIterator[httpx.AsyncClient]:
        raising = Raising(error)
        stand_in = SimpleNamespace(
            settings=Settings(**settings),
            servers=None,
            database_url="",
            generations=raising,
            imports=raising,
            queue=raising,
            database=raising,
        )
        app = create_app(cast("Service", stand_in), hosts=hosts)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url) as client:
            yield client

    return opened
