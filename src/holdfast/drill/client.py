"""The API as any client sees it: JSON over HTTP, one connection a request."""

import asyncio
import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import orjson

from holdfast.errors import HoldfastError, Unavailable

ANSWER_SECONDS = 5.0
ENDED = frozenset({"completed", "partial", "failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What `GET …/status` said."""

    status: str
    progress: int
    n_clusters: int
    n_completed: int
    n_failed: int
    n_pending: int
    n_running: int
    error: str | None

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        known = {name: body[name] for name in cls.__slots__ if name != "error"}
        return cls(**known, error=(body["error"] or {}).get("message"))


class Api:
    """One server on loopback. Every call raises Unavailable if it does not answer, HoldfastError if it refuses."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def get(self, path: str) -> dict[str, Any]:
        return await asyncio.to_thread(self._ask, "GET", path, None)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(self._ask, "POST", path, body)

    async def answers(self) -> bool:
        """Whether it is up."""
        try:
            await self.get("/health/live")
        except Unavailable:
            return False
        return True

    async def status(self, generation_id: UUID) -> Told:
        return Told.from_json(await self.get(f"/codeframe/{generation_id}/status"))

    async def counts(self) -> dict[str, int]:
        """Jobs by state."""
        counts: dict[str, int] = (await self.get("/queue"))["counts"]
        return counts

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            sent = None if body is None else orjson.dumps(body)
            connection.request(method, f"/api/v1{path}", sent, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            said: dict[str, Any] = orjson.loads(reply.read())
        except (OSError, http.client.HTTPException, orjson.JSONDecodeError) as error:
            raise Unavailable(f"the API does not answer: {type(error).__name__}") from error
        finally:
            connection.close()
        if reply.status >= 500:
            raise Unavailable(f"the API answers {reply.status}: {said.get('detail')}")
        if reply.status >= 400:
            raise HoldfastError(f"the API refuses {method} {path}: {said.get('detail')}")
        return said
