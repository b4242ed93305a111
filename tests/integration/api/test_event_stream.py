"""The event stream over a real socket, as a browser reads it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn

from holdfast.api import create_app
from holdfast.api.bodies_codeframes import ProgressBody
from holdfast.api.events import Cursor, EventFeed, Look, Pace
from holdfast.api.frames import progress_body, progress_digest
from holdfast.errors import Unavailable
from holdfast.service import EndedUnit, GenerationRequest, Service

QUICK = Pace(poll=0.001)


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
    had = Cursor(digest=progress_digest(now))
    first, *told = await told_by([now], had=str(had), pace=Pace(poll=0.01, heartbeat=0.02), most=3)

    assert (first, told) == ("retry: 1000\n\n", [": heartbeat\n\n", ": heartbeat\n\n"])


async def test_a_stream_outlives_a_server_that_is_away(now: ProgressBody) -> None:
    looks = [now, Unavailable("away"), changed(now, progress=5), changed(now, status="failed")]

    told = await told_by(looks)

    assert kinds(told) == ["status", "progress", "status"]


async def test_each_unit_that_ends_is_told_once_and_again_to_who_missed_it(now: ProgressBody) -> None:
    ended = changed(now, status="completed", progress=100)
    units = [unit(k) for k in range(3)]
    looks: list[Any] = [(now, units[:2]), (changed(now, progress=50), units[2:]), ended]

    told = await told_by(looks)
    again = await told_by([(ended, units[1:]), ended], had=ids(told)[0])

    assert kinds(told) == ["unit", "unit", "status", "unit", "progress", "status"]
    assert ['"unit":"label/0"' in told[1], '"name":"Parking"' in told[1]] == [True, True]
    assert kinds(again) == ["unit", "unit", "status"]
    assert len(set(ids(told))) == 6


async def test_money_that_moves_is_told_apart(now: ProgressBody) -> None:
    paid = now.cost.model_copy(update={"spent_usd": Decimal("1.50")})

    told = await told_by([now, changed(now, cost=paid), changed(now, cost=paid, status="cancelled")])

    assert kinds(told) == ["status", "cost", "progress", "status"]
    assert '"spent_usd":"1.50"' in told[2]


@pytest.mark.parametrize("given", ["", "7", "a.b-c", "1.2.3-x", "99999999999999999999.1-x", "-", "0.0-"])
async def test_an_id_that_is_none_of_ours_gets_everything(now: ProgressBody, given: str) -> None:
    told = await told_by([(changed(now, status="failed"), [unit(0)]), changed(now, status="failed")], had=given)

    assert kinds(told) == ["unit", "status"]


async def test_a_whole_generation_is_told_unit_by_unit_and_nothing_to_who_has_it_all(
    service: Service, queued: str, worker_of: Callable[[Service], Any]
) -> None:
    async with served(service, asyncio.Event()) as browser, asyncio.timeout(60):
        async with browser.stream("GET", f"/codeframe/{queued}/events") as stream, worker_of(service):
            lines = [line async for line in stream.aiter_lines()]
        seen = [line.removeprefix("id: ") for line in lines if line.startswith("id: ")]
        units_told = [json.loads(line[6:])["unit"] for line in lines if line.startswith('data: {"unit"')]
        over = await browser.get(f"/codeframe/{queued}/events", headers={"Last-Event-ID": seen[-1]})
        middle = next(place for place, line in enumerate(lines) if '"unit":"cluster/0"' in line)
        cursor = next(line for line in reversed(lines[:middle]) if line.startswith("id: ")).removeprefix("id: ")
        rest = await browser.get(f"/codeframe/{queued}/events", headers={"Last-Event-ID": cursor})

    n_clusters = sum(name.startswith("label/") for name in units_told)
    assert units_told[-1] == "assemble/0"
    assert len(units_told) == len(set(units_told))
    assert n_clusters > 0
    assert over.status_code == 204
    assert rest.text.count("event: unit") == n_clusters + 1


def changed(now: ProgressBody, **values: Any) -> ProgressBody:
    return now.model_copy(update=values)


def unit(ordinal: int) -> EndedUnit:
    return EndedUnit(
        id=ordinal + 1,
        stage="label",
        ordinal=ordinal,
        state="done",
        name="Parking",
        error=None,
        finished_at=datetime(2026, 11, 25, 12, 0, ordinal, ordinal, tzinfo=UTC),
    )


async def told_by(looks: list[Any], *, had: str | None = None, pace: Pace = QUICK, most: int = 100) -> list[str]:
    """What a feed tells that sees these moments: a progress, a progress with units, or an error; the last one stays."""
    coming = iter(looks)
    last: list[Any] = []

    async def look(_after: object) -> Look:
        last[:] = [next(coming, *last)]
        found = last[0]
        if isinstance(found, Exception):
            raise found
        progress, ended = found if isinstance(found, tuple) else (found, [])
        return Look(progress=progress, ended=ended)

    feed = EventFeed(look, last_event_id=had, stopping=asyncio.Event(), pace=pace)
    told: list[str] = []
    async with asyncio.timeout(5):
        first = await feed.begin()
        assert first is not None
        async for event in feed.events(first):
            told.append(event)
            if len(told) == most:
                break
    return told


def kinds(told: list[str]) -> list[str]:
    return [line.removeprefix("event: ") for event in told for line in event.splitlines() if "event: " in line]


def ids(told: list[str]) -> list[str]:
    return [event.splitlines()[0].removeprefix("id: ") for event in told if event.startswith("id: ")]
