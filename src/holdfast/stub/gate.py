"""What stands between a billed call and its reply: latency, and a gate that tests hold shut."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from holdfast.stub.faults import Event, matches


class Changes:
    """Wakes those who wait for something to have become so."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def tell(self) -> None:
        for waiting in self._waiting:
            waiting.set()

    async def until(self, holds: Callable[[], bool], *, within: float) -> bool:
        """Wait for the condition, at most that many seconds; says whether it came true."""
        changed = asyncio.Event()
        self._waiting.add(changed)
        try:
            async with asyncio.timeout(within):
                while not holds():
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(changed)
        return True


@dataclass(slots=True, kw_only=True, eq=False)
class _Hold:
    match: Mapping[str, Any]
    before_billing: bool


class Gate:
    """Holds calls that match until they are released; a held call whose client leaves is not counted any more."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._holds: list[_Hold] = []
        self._held: list[asyncio.Event] = []  # in the order they came

    @property
    def held(self) -> int:
        return len(self._held)

    def hold(self, match: Mapping[str, Any], *, before_billing: bool = False) -> None:
        self._holds.append(_Hold(match=match, before_billing=before_billing))

    def release(self, n: int | None = None) -> int:
        """Let the first n held calls go and hold on to others; without n let all go and hold no more."""
        if n is None:
            self._holds.clear()
        going = self._held[:n]
        self._held = self._held[len(going) :]
        for event in going:
            event.set()
        self._changes.tell()
        return len(going)

    async def enter(self, event: Event, gone: asyncio.Event | None, *, before_billing: bool = False) -> None:
        """Return at once, or when the call is released, or when its client has left."""
        if not any(hold.before_billing == before_billing and matches(hold.match, event) for hold in self._holds):
            return
        free = asyncio.Event()
        self._held.append(free)
        self._changes.tell()
        try:
            await _first(free, gone)
        finally:
            if free in self._held:
                self._held.remove(free)
                self._changes.tell()


async def _first(free: asyncio.Event, gone: asyncio.Event | None) -> None:
    if gone is None:
        await free.wait()
        return
    waits = [asyncio.ensure_future(event.wait()) for event in (free, gone)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


class Limiter:
    """The provider's own limit of requests a minute: a bucket of tokens that fills steadily."""

    def __init__(self, requests_per_minute: float | None, *, burst: float | None = None) -> None:
        self.requests_per_minute = requests_per_minute
        self.burst = burst or max(1.0, (requests_per_minute or 0) / 60)
        self._left, self._at = self.burst, monotonic()

    def take(self) -> float:
        """0.0 when the request may pass, else the seconds after which it may."""
        if not self.requests_per_minute:
            return 0.0
        rate, now = self.requests_per_minute / 60, monotonic()
        self._left, self._at = min(self.burst, self._left + (now - self._at) * rate), now
        if self._left < 1:
            return (1 - self._left) / rate
        self._left -= 1
        return 0.0

    @property
    def left(self) -> int:
        return int(self._left)
