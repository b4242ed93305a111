"""The stub's server: takes connections on loopback, finds who answers a path, stops with its tasks."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import orjson

from holdfast.stub import chat_batches, message_batches
from holdfast.stub.batches import Batches
from holdfast.stub.control import control
from holdfast.stub.faults import LISTS, REQUEST_FAULTS, Event
from holdfast.stub.material import count_tokens
from holdfast.stub.prices import Tariff
from holdfast.stub.replying import Prompt
from holdfast.stub.serving import Desk, Options, Visit, barred, delivered, generate, stopped, visit
from holdfast.stub.wire import Answer, Call, Connection

Act: TypeAlias = Callable[[Desk, Visit], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One path of a provider's API."""

    method: str
    path: re.Pattern[str]
    api: str
    provider: str
    act: Act


async def count(desk: Desk, visit: Visit) -> Answer:
    """Anthropic's count of a prompt's tokens."""
    try:
        body = orjson.loads(visit.call.body)
        prompt: Prompt = visit.face.read_prompt({"max_tokens": 0, **body})
    except (ValueError, KeyError, TypeError) as error:
        return visit.refusal("bad_request", str(error))
    return Answer(body=orjson.dumps({"input_tokens": count_tokens(prompt.text)}))


async def models(desk: Desk, visit: Visit) -> Answer:
    """OpenAI's list of models: those with a price."""
    found = [{"id": name, "object": "model", "created": 0, "owned_by": "stub"} for name in desk.prices]
    return Answer(body=orjson.dumps({"object": "list", "data": found}))


BatchAct: TypeAlias = Callable[[Batches, Visit], Awaitable[Answer]]

_MESSAGES, _CHAT = "/v1/messages/batches", "/v1/batches"
BATCH_ROUTES: list[tuple[str, str, str, str, BatchAct]] = [
    ("POST", _MESSAGES, "message_batches.create", "anthropic", message_batches.create),
    ("GET", _MESSAGES, "message_batches.list", "anthropic", message_batches.listing),
    ("GET", f"{_MESSAGES}/[^/]+", "message_batches.get", "anthropic", message_batches.get),
    ("GET", f"{_MESSAGES}/[^/]+/results", "message_batches.results", "anthropic", message_batches.results),
    ("POST", f"{_MESSAGES}/[^/]+/cancel", "message_batches.cancel", "anthropic", message_batches.cancel),
    ("POST", "/v1/files", "files.create", "openai", chat_batches.upload),
    ("GET", "/v1/files/[^/]+/content", "files.content", "openai", chat_batches.content),
    ("POST", _CHAT, "chat_batches.create", "openai", chat_batches.create),
    ("GET", _CHAT, "chat_batches.list", "openai", chat_batches.listing),
    ("GET", f"{_CHAT}/[^/]+", "chat_batches.get", "openai", chat_batches.get),
    ("POST", f"{_CHAT}/[^/]+/cancel", "chat_batches.cancel", "openai", chat_batches.cancel),
]

ROUTES = [
    Route("POST", re.compile(r"/v1/messages"), "messages", "anthropic", generate),
    Route("POST", re.compile(r"/v1/chat/completions"), "chat", "openai", generate),
    Route("POST", re.compile(r"/v1/embeddings"), "embeddings", "openai", generate),
    Route("POST", re.compile(r"/v1/messages/count_tokens"), "count_tokens", "anthropic", count),
    Route("GET", re.compile(r"/v1/models"), "models", "openai", models),
]


class Server:
    """The running stub."""

    def __init__(self, folder: Path, prices: Mapping[str, Tariff], options: Options) -> None:
        self.desk = Desk(folder, prices, options)
        self.batches = Batches(self.desk)
        self._routes = [
            *ROUTES,
            *(Route(how, re.compile(at), api, who, self._for_batches(act)) for how, at, api, who, act in BATCH_ROUTES),
        ]
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, port: int) -> int:
        """Listen on the port (0: a free one) of 127.0.0.1; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._handle, self._tasks), "127.0.0.1", port, backlog=1024
        )
        self.batches.resume()
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Answer no more; what was held is never answered."""
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.batches.stop()
        self.desk.book.close()

    async def _handle(self, call: Call) -> Answer:
        if call.path.startswith("/stub/"):
            return await control(self.desk, call)
        desk = self.desk
        desk.requests += 1
        desk.in_flight += 1
        desk.most_in_flight = max(desk.most_in_flight, desk.in_flight)
        desk.changes.tell()
        try:
            answer = await self._answer(call)
        finally:
            desk.in_flight -= 1
        desk.refused += answer.status >= 400
        return answer

    async def _answer(self, call: Call) -> Answer:
        for route in self._routes:
            if route.method == call.method and route.path.fullmatch(call.path):
                self.desk.by_api[route.api] += 1
                come = visit(call, api=route.api, provider=route.provider)
                return barred(self.desk, come) or await self._act(route, come)
        provider = "anthropic" if "anthropic-version" in call.headers else "openai"
        return visit(call, api="", provider=provider).refusal("not_found", f"there is no {call.method} {call.path}")

    async def _act(self, route: Route, come: Visit) -> Answer:
        if route.act is generate:
            return await generate(self.desk, come)
        possible = REQUEST_FAULTS | LISTS if route.api.endswith(".list") else REQUEST_FAULTS
        event = Event(api=route.api, provider=route.provider, possible=possible)
        fault = self.desk.plan.take(event)
        return stopped(come, fault) or delivered(await route.act(self.desk, come), fault)

    def _for_batches(self, act: BatchAct) -> Act:
        return lambda _, come: act(self.batches, come)
