"""The event stream over a real socket, as a browser reads it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn

from holdfast.api import create_app
from holdfast.api.bodies_codeframes import ProgressBody
from holdfast.api.events import EventFeed, Pace, event_id
from holdfast.api.frames import progress_body
from holdfast.errors import Unavailable
from holdfast.service import GenerationRequest, Service


@asynccontextmanager
async def served(service: Service, stopping: asyncio.Event) -> AsyncIterator[httpx.AsyncClient]:
    """The API behind a real web server on a free port; at the end it waits for its requests."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(service, stopping=stopping), log_config=None, lifespan="off"))
        task = asyncio.create_task(server._serve([listener]))
        try:
            base = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
            async with httpx.AsyncClient(base_url=base, timeout=30) as client:
                yield client
        finally:
            server.should_exit = True
            await task


@pytest.fixture
async def queued(service: Service, sixty: int) -> str:
    """A generation nobody works on."""
    return str((await service.generations.start(GenerationRequest(category_id=sixty))).generation.id)


async def test_events_come_when_they_happen_and_not_at_the_end(service: Service, queued: str, client: Any) -> None:
    stopping = asyncio.Event()
    async with (
        served(service, stopping) as browser,
        asyncio.timeout(20),
        browser.stream("GET", f"/codeframe/{queued}/events") as stream,
    ):
        lines = stream.aiter_lines()
        first = [await anext(lines) for _ in range(5)]
        await client.post(f"/codeframe/{queued}/cancel")
        rest = [line async for line in lines]

    assert first[0] == "retry: 1000"
    assert first[3] == "event: status"
    assert '"status":"queued"' in first[4]
    assert sum(line.startswith("event: ") for line in rest) == 1
    assert any('"status":"cancelled"' in line for line in rest)


async def test_a_server_that_stops_does_not_wait_for_its_readers(service: Service, queued: str) -> None:
    stopping = asyncio.Event()
    async with (
        served(service, stopping) as browser,
        asyncio.timeout(20),
        browser.stream("GET", f"/codeframe/{queued}/events") as stream,
    ):
        lines = stream.aiter_lines()
        await anext(lines)
        stopping.set()
        rest = [line async for line in lines]

    assert not any('"status":"completed"' in line for line in rest)


async def test_a_reader_who_leaves_leaves_nothing_behind(service: Service, queued: str) -> None:
    before = asyncio.all_tasks()
    async with (
        served(service, asyncio.Event()) as browser,
        asyncio.timeout(20),
        browser.stream("GET", f"/codeframe/{queued}/events") as stream,
    ):
        await anext(stream.aiter_lines())
    # the server has stopped, which it does only when no request is left

    assert asyncio.all_tasks() == before


@pytest.fixture
async def now(service: Service, queued: str) -> ProgressBody:
    return progress_body(await service.generations.status(UUID(queued)))


async def test_a_silent_stream_is_kept_open_by_heartbeats(now: ProgressBody) -> None:
    async def look() -> ProgressBody:
        return now

    pace = Pace(poll=0.01, heartbeat=0.02)
    feed = EventFeed(look, first=now, last_event_id=event_id(now), stopping=asyncio.Event(), pace=pace)
    events = feed.events()

    async with asyncio.timeout(5):
        told = [await anext(events) for _ in range(3)]

    await events.aclose()  # type: ignore[attr-defined]
    assert told == ["retry: 1000\n\n", ": heartbeat\n\n", ": heartbeat\n\n"]


async def test_a_stream_outlives_a_server_that_is_away(now: ProgressBody) -> None:
    looks = iter(
        [Unavailable("away"), now.model_copy(update={"progress": 5}), now.model_copy(update={"status": "failed"})]
    )

    async def look() -> ProgressBody:
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return found

    feed = EventFeed(look, first=now, last_event_id=None, stopping=asyncio.Event(), pace=Pace(poll=0.001))
    told = [event async for event in feed.events()]

    assert [event.splitlines()[1] for event in told[1:]] == ["event: status", "event: progress", "event: status"]
