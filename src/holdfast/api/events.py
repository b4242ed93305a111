"""The event stream of one generation, derived from its status: nothing is kept, so nothing can be missed or drift."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

from holdfast.api.bodies_codeframes import ProgressBody
from holdfast.api.frames import progress_digest
from holdfast.errors import NotFound, QueueUnavailable, Unavailable

ENDED = frozenset({"completed", "partial", "failed", "cancelled", "applied"})
RETRY_MS = 1000  # how long a client waits before it connects again


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds."""

    poll: float = 0.5
    heartbeat: float = 15.0  # of silence, after which proxies would close the stream


class EventFeed:
    """Looks again and again and tells what is new, until the generation has ended or `stopping`."""

    def __init__(
        self,
        look: Callable[[], Awaitable[ProgressBody]],
        *,
        first: ProgressBody,
        last_event_id: str | None,
        stopping: asyncio.Event,
        pace: Pace = Pace(),
    ) -> None:
        self._look = look
        self._first = first
        self._had = last_event_id
        self._stopping = stopping
        self._pace = pace

    @property
    def is_over(self) -> bool:
        """The client has the last event there will be."""
        return self._first.status in ENDED and event_id(self._first) == self._had

    async def events(self) -> AsyncIterator[str]:
        """The events, as they go over the wire."""
        yield f"retry: {RETRY_MS}\n\n"
        told: ProgressBody | None = None
        now: ProgressBody | None = self._first
        had, spoke = self._had, monotonic()
        while True:
            if now is not None and event_id(now) != had:
                yield _event(now, told)
                told, had, spoke = now, event_id(now), monotonic()
            elif monotonic() - spoke >= self._pace.heartbeat:
                yield ": heartbeat\n\n"
                spoke = monotonic()
            if (now is not None and now.status in ENDED) or await self._stopped():
                return
            try:
                now = await self._look()
            except (Unavailable, QueueUnavailable):
                now = None  # a server is away: the stream stays, the next look may see it back
            except NotFound:
                return

    async def _stopped(self) -> bool:
        try:
            async with asyncio.timeout(self._pace.poll):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True


def event_id(progress: ProgressBody) -> str:
    """Where in the generation an event stands: percent and clusters ended, which never go down; and what it says."""
    return f"{progress.progress}-{progress.n_completed + progress.n_failed}-{progress_digest(progress)}"


def _event(now: ProgressBody, told: ProgressBody | None) -> str:
    kind = "progress" if told is not None and told.status == now.status else "status"
    return f"id: {event_id(now)}\nevent: {kind}\ndata: {now.model_dump_json()}\n\n"
