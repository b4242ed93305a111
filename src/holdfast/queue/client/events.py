"""What happens in a queue, from its stream: told in order, from any point that is still kept, over any reconnect."""

import asyncio
import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, cast, get_args

import orjson
from redis.exceptions import ResponseError

from holdfast.errors import QueueError, QueueUnavailable
from holdfast.queue.link.connection import Link, will_pass

EventKind: TypeAlias = Literal[
    "added",  # a new job: it waits, unless a `delayed` of the same moment follows
    "waiting",  # it waits again: its time has come, another attempt, given back by a worker that stops, or asked for
    "delayed",  # it will wait when its time has come
    "active",  # a worker took it
    "progress",  # data: what its processor reported
    "completed",
    "failed",  # for good; data: the reason
    "retried",  # an attempt failed and there is another one: `waiting` or `delayed` follows; data: the reason
    "stalled",  # its worker was gone; it waits again
    "removed",
    "paused",  # the queue; no job_id, as the next two
    "resumed",
    "drained",
    "gap",  # what happened between the event whose id is `data` and this one was dropped before it was read
]
KINDS: frozenset[str] = frozenset(get_args(EventKind))
_OF_THE_QUEUE = frozenset({"paused", "resumed", "drained"})
_WITH_DATA = frozenset({"progress", "failed", "retried"})
_PLACE = re.compile(r"(\d+-\d+)(?:/(\d+))?")

BLOCK_MS = 5_000  # below the link's limit of silence
BATCH = 200  # entries of one read
REFUSAL_PAUSE = 0.5  # seconds
START, NOW = "0-0", "$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a job, or to the queue."""

    id: str  # `events(after=id)` goes on behind it
    kind: EventKind
    job_id: str | None  # None when it is about the queue
    at: datetime  # by the Redis server's clock
    data: Any = None  # see the kinds


class Events:
    """An endless iterator over the events of a queue; it ends when it, or the queue, is closed.

    Use it as `async with queue.events() as events:`; what happens from that moment on is told.
    """

    def __init__(self, link: Link, stream: str, *, after: str, kinds: Collection[str] | None) -> None:
        self._link = link
        self._stream = stream
        self._kinds = _checked_kinds(kinds)
        self._position, self._told = _checked_place(after)
        self._ready: deque[Event] = deque()
        self._caught_up = False  # whether the last read showed that there is nothing behind the position
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        await self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event; waits for it, and for Redis, as long as it takes. QueueError when Redis refuses to tell."""
        await self._begin()
        while not self._ready and not self._closed.done():
            self._ready.extend(await self._patiently(self._read) or ())
        if self._closed.done():
            raise StopAsyncIteration
        return self._ready.popleft()

    async def up_to_now(self) -> list[Event]:
        """The events that are there already, without waiting for more."""
        await self._begin()
        self._caught_up = False
        while not self._caught_up and not self._closed.done():
            self._ready.extend(await self._patiently(self._read) or ())
        found = list(self._ready)
        self._ready.clear()
        return found

    @property
    def is_closed(self) -> bool:
        """Whether it has ended."""
        return self._closed.done()

    async def close(self) -> None:
        """End the iteration, also of one that waits right now."""
        if not self._closed.done():
            self._closed.set_result(None)
        await self._link.close()

    async def _begin(self) -> None:
        """Find out where now is."""
        while self._position == NOW and not self._closed.done():
            self._position = await self._patiently(self._end) or NOW

    async def _patiently(self, read: Any) -> Any:
        try:
            return await read()
        except QueueUnavailable:
            return None  # the link is on its way back
        except ResponseError as error:
            if not will_pass(error):
                raise QueueError(f"Redis refused to tell what happens: {error}") from error
            await asyncio.sleep(REFUSAL_PAUSE)
            return None

    async def _end(self) -> str:
        last = await self._ask("XREVRANGE", self._stream, "+", "-", "COUNT", 1)
        return last[0][0].decode() if last else START

    async def _read(self) -> list[Event]:
        """What came after the position; often nothing."""
        caught_up, self._caught_up = self._caught_up, False  # not any more, should this end in the middle
        if caught_up:
            reply = await self._ask("XREAD", "BLOCK", BLOCK_MS, "COUNT", BATCH, "STREAMS", self._stream, self._position)
            self._caught_up = not reply
            return self._advance(reply[0][1]) if reply else []
        # From the position itself on: while its entry is there, nothing behind it can have been dropped.
        found = await self._ask("XRANGE", self._stream, self._position, "+", "COUNT", BATCH + 1)
        if found and found[0][0].decode() == self._position:
            self._caught_up = len(found) == 1
            if self._told is None:
                del found[0]
            return self._advance(found)
        if self._position == START:
            self._caught_up = not found
            return self._advance(found)
        return await self._over_a_gap(found)

    async def _over_a_gap(self, found: list[Any]) -> list[Event]:
        lost_after = self._position
        # Nothing at all behind it: the stream was made anew, by a Redis that came back older or empty.
        self._position, self._told = (found[0][0].decode(), 0) if found else (await self._end(), None)
        place = self._position if self._told is None else f"{self._position}/0"
        gap = Event(id=place, kind="gap", job_id=None, at=_at(self._position), data=lost_after)
        return [gap, *self._advance(found)]

    def _advance(self, entries: Sequence[Any]) -> list[Event]:
        events: list[Event] = []
        for raw, fields in entries:
            place = raw.decode()
            events += _told_by(place, fields, self._kinds, self._told or 0)
            self._position, self._told = place, None
        return events

    async def _ask(self, *command: str | int) -> Any:
        """The reply; None when the iterator is closed meanwhile."""
        asked = asyncio.ensure_future(self._link.call(*command))
        try:
            await asyncio.wait({asked, self._closed}, return_when=asyncio.FIRST_COMPLETED)
            return asked.result() if asked.done() else None
        finally:
            asked.cancel()


def _told_by(place: str, fields: Sequence[bytes], kinds: frozenset[str], known: int) -> Iterator[Event]:
    """The events of one entry, without the first `known`; `<entry>/<n>` is the place behind its n-th event."""
    at = _at(place)
    number = 0
    for i in range(0, len(fields), 2):
        kind = fields[i].decode()
        for job_id, data in _texts(kind, fields[i + 1]):
            number += 1
            if number > known and kind in kinds:
                yield Event(id=f"{place}/{number}", kind=cast("EventKind", kind), job_id=job_id, at=at, data=data)


def _texts(kind: str, raw: bytes) -> Iterator[tuple[str | None, Any]]:
    text = raw.decode(errors="replace")
    if kind in _OF_THE_QUEUE:
        yield None, None
    elif kind in _WITH_DATA:
        job_id, _, said = text.partition("\n")
        yield job_id, orjson.loads(said) if kind == "progress" else said
    else:
        for job_id in text.split("\n"):
            yield job_id, None


def _at(place: str) -> datetime:
    return datetime.fromtimestamp(int(place.partition("-")[0]) / 1000, UTC)


def _checked_kinds(kinds: Collection[str] | None) -> frozenset[str]:
    if kinds is None:
        return KINDS
    asked = frozenset([kinds] if isinstance(kinds, str) else kinds)
    if not asked or not asked <= KINDS:
        raise QueueError(f"events are of these kinds: {', '.join(sorted(KINDS))}; not {sorted(asked - KINDS)}")
    return asked | {"gap"}


def _checked_place(after: str) -> tuple[str, int | None]:
    """Where to begin: an entry, and how many of its events are known (None = all)."""
    if after == NOW:
        return NOW, None
    if after == "0":
        return START, None
    match = _PLACE.fullmatch(after)
    if match is None:
        raise QueueError(f"events can be told after '$' (now), '0' (all that is kept) or an event's id, not {after!r}")
    return match[1], None if match[2] is None else int(match[2])
