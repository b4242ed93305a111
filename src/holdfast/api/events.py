"""The event stream of one generation, derived from what is owed and done: nothing is kept, so nothing can be missed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Self, TypeAlias

from pydantic import BaseModel

from holdfast.api.bodies_codeframes import ProgressBody
from holdfast.api.frames import progress_digest, unit_body
from holdfast.errors import NotFound, QueueUnavailable, Unavailable
from holdfast.service import EndedUnit, Place

ENDED = frozenset({"completed", "partial", "failed", "cancelled", "applied"})
RETRY_MS = 1000  # how long a client waits before it connects again
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds."""

    poll: float = 0.5
    heartbeat: float = 15.0  # of silence, after which proxies would close the stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A generation at one moment."""

    progress: ProgressBody
    ended: Sequence[EndedUnit] = ()  # read after the progress: what that counts as ended is there, or was told before


Looking: TypeAlias = Callable[[Place | None], Awaitable[Look]]  # units that ended after that place


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """What a client has: every unit that ended up to a place, and one progress."""

    place: Place | None = None
    digest: str = ""

    def __str__(self) -> str:
        micros, unit_id = (0, 0) if self.place is None else ((self.place.at - EPOCH) // TICK, self.place.unit_id)
        return f"{micros}.{unit_id}-{self.digest}"

    @classmethod
    def of(cls, event_id: str | None) -> Self:
        """What an event's id says; nothing for an id that is none of ours, so all is told again."""
        try:
            place, digest = (event_id or "").split("-")
            micros, unit_id = map(int, place.split("."))
            return cls(place=Place(EPOCH + micros * TICK, unit_id) if micros else None, digest=digest)
        except (ValueError, OverflowError):
            return cls()


class EventFeed:
    """Looks again and again and tells what is new, until the generation has ended or `stopping`."""

    def __init__(
        self, look: Looking, *, last_event_id: str | None, stopping: asyncio.Event, pace: Pace = Pace()
    ) -> None:
        self._look = look
        self._had = Cursor.of(last_event_id)
        self._stopping = stopping
        self._pace = pace
        self._told: ProgressBody | None = None

    async def begin(self) -> Look | None:
        """The first look; None: the client has the last event there will be. Raises NotFound, Unavailable."""
        first = await self._look(self._had.place)
        is_over = first.progress.status in ENDED and not first.ended
        return None if is_over and progress_digest(first.progress) == self._had.digest else first

    async def events(self, first: Look) -> AsyncIterator[str]:
        """The events from the first look on, as they go over the wire."""
        yield f"retry: {RETRY_MS}\n\n"
        now: Look | None = first
        spoke = monotonic()
        while True:
            for event in self._new(now) if now else ():
                yield event
                spoke = monotonic()
            if monotonic() - spoke >= self._pace.heartbeat:
                yield ": heartbeat\n\n"
                spoke = monotonic()
            # A page of endings may be full: only an empty one is the last.
            if (now is not None and now.progress.status in ENDED and not now.ended) or await self._stopped(now):
                return
            try:
                now = await self._look(self._had.place)
            except (Unavailable, QueueUnavailable):
                now = None  # a server is away: the stream stays, the next look may see it back
            except NotFound:
                return

    def _new(self, now: Look) -> Iterator[str]:
        for unit in now.ended:
            self._had = replace(self._had, place=unit.place)
            yield self._event("unit", unit_body(unit))
        digest = progress_digest(now.progress)
        if digest == self._had.digest:
            self._told = now.progress
            return
        if self._told is not None and self._told.cost != now.progress.cost:
            yield self._event("cost", now.progress.cost)
        same_status = self._told is not None and self._told.status == now.progress.status
        self._told, self._had = now.progress, replace(self._had, digest=digest)
        yield self._event("progress" if same_status else "status", now.progress)

    def _event(self, kind: str, body: BaseModel) -> str:
        return f"id: {self._had}\nevent: {kind}\ndata: {body.model_dump_json()}\n\n"

    async def _stopped(self, now: Look | None) -> bool:
        """Wait for the next look, unless there is more to see already."""
        if now is not None and now.ended and now.progress.status in ENDED:
            return self._stopping.is_set()
        try:
            async with asyncio.timeout(self._pace.poll):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True
