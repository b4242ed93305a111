"""The stub's server: takes connections on loopback, finds who answers a path, stops with its tasks."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import orjson

from holdfast.stub.control import control
from holdfast.stub.material import count_tokens
from holdfast.stub.prices import Tariff
from holdfast.stub.replying import Prompt
from holdfast.stub.serving import FACES, Desk, Options, Visit, barred, generate, visit
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


ROUTES = [
    Route("POST", re.compile(r"/v1/messages"), "messages", "anthropic", generate),
    Route("POST", re.compile(r"/v1/chat/completions"), "chat", "openai", generate),
    Route("POST", re.compile(r"/v1/messages/count_tokens"), "count_tokens", "anthropic", count),
    Route("GET", re.compile(r"/v1/models"), "models", "openai", models),
]


class Server:
    """The running stub."""

    def __init__(self, folder: Path, prices: Mapping[str, Tariff], options: Options) -> None:
        self.desk = Desk(folder, prices, options)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, port: int) -> int:
        """Listen on the port (0: a free one) of 127.0.0.1; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._handle, self._tasks), "127.0.0.1", port, backlog=1024
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Answer no more; what was held is never answered."""
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
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
        for route in ROUTES:
            if route.method == call.method and route.path.fullmatch(call.path):
                come = visit(call, api=route.api, provider=route.provider)
                return barred(self.desk, come) or await route.act(self.desk, come)
        provider = "anthropic" if "anthropic-version" in call.headers else "openai"
        assert provider in FACES
        return visit(call, api="", provider=provider).refusal("not_found", f"there is no {call.method} {call.path}")
