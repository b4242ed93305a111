"""The API over a real service on real servers, a worker in the same loop, and answers people gave."""

import csv
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from tests.service_worker import working

from holdfast.api import create_app
from holdfast.service import Service, open_service
from holdfast.settings import Settings

Rows: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One server-sent event."""

    id: str
    kind: str
    data: dict[str, Any]


@pytest.fixture(scope="session")
def models_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder the embedding model is converted into, once a session."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
async def service(redis_url: str, database_url: str, models_home: Path) -> AsyncIterator[Service]:
    settings = Settings(
        redis_url_given=redis_url, database_url=database_url, home=models_home, reconcile_seconds=0.2, api_keys=()
    )
    async with open_service(settings) as opened:
        yield opened


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(service) as opened:
        yield opened


@asynccontextmanager
async def client_of(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1", timeout=60) as opened:
        yield opened


@pytest.fixture
def opened_client() -> Callable[[Service], Any]:
    """A client of the API over any service."""
    return client_of


@pytest.fixture
def worker_of() -> Callable[[Service], Any]:
    """Runs a worker of a service while it is open."""
    return working


@pytest.fixture
async def worker(service: Service) -> AsyncIterator[None]:
    """A worker runs during the test."""
    async with working(service):
        yield


@pytest.fixture
def sixty_rows() -> Rows:
    """Sixty answers of patients."""
    with _demo_answers() as answers:
        return [{"text": row["answer"], "external_id": row["id"]} for row in islice(answers, 60)]


@contextmanager
def _demo_answers() -> Iterator[Iterator[dict[str, str]]]:
    with (resources.files("holdfast.demo") / "answers.csv").open(encoding="utf-8", newline="") as file:
        yield csv.DictReader(file)


@pytest.fixture
def category(client: httpx.AsyncClient) -> Callable[[Rows], Awaitable[int]]:
    """Makes a category with these rows; returns its id."""

    async def make(rows: Rows) -> int:
        made = (await client.post("/categories", json={"name": "spring"})).json()
        reply = await client.post(f"/categories/{made['id']}/answers", json={"rows": rows})
        assert reply.status_code == 201, reply.text
        return int(made["id"])

    return make


@pytest.fixture
async def sixty(category: Callable[[Rows], Awaitable[int]], sixty_rows: Rows) -> int:
    """The id of a category with sixty answers."""
    return await category(sixty_rows)


@pytest.fixture
def followed(client: httpx.AsyncClient) -> Callable[..., Awaitable[list[Event]]]:
    """Follows a generation's events to their end."""

    async def follow(generation_id: str, **headers: str) -> list[Event]:
        reply = await client.get(f"/codeframe/{generation_id}/events", headers=headers)
        assert reply.status_code == 200, reply.text
        assert reply.headers["content-type"].startswith("text/event-stream")
        return read_events(reply.text)

    return follow


def read_events(stream: str) -> list[Event]:
    """The events of a stream, without comments."""
    found = []
    for block in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append(Event(id=fields["id"], kind=fields["event"], data=json.loads(fields["data"])))
    return found
