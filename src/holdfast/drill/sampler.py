"""The status of a generation, looked at ten times a second from its first moment to its last."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from holdfast.errors import Unavailable

EVERY = 0.1  # seconds
ORDER = ("queued", "processing", "paused", "completed", "partial", "failed", "cancelled")


class Progress(Protocol):
    """What a status says that can be compared with the one before."""

    @property
    def status(self) -> str: ...
    @property
    def progress(self) -> int: ...
    @property
    def n_clusters(self) -> int: ...
    @property
    def n_completed(self) -> int: ...
    @property
    def n_failed(self) -> int: ...
    @property
    def n_pending(self) -> int: ...
    @property
    def n_running(self) -> int: ...
    @property
    def ended(self) -> bool: ...


P = TypeVar("P", bound=Progress)


class Sampler(Generic[P]):
    """Keeps the newest status, and everything that was wrong with any.

    `look` asks for a status and may raise Unavailable, which is wrong unless `may_fail` says that nobody can answer;
    `check` raises what ends the sampling.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[P]],
        *,
        check: Callable[[], None] = lambda: None,
        may_fail: Callable[[], bool] = lambda: False,
    ) -> None:
        self._look = look
        self._check = check
        self._may_fail = may_fail
        self._changed = asyncio.Condition()
        self.latest: P | None = None
        self.samples = 0
        self.unanswered = 0  # looks that failed while they might
        self.longest_gap = 0.0  # seconds between two looks
        self.wrong: list[str] = []

    @property
    def ended(self) -> bool:
        """Whether the generation has ended."""
        return self.latest is not None and self.latest.ended

    async def run(self) -> None:
        """Sample until the generation has ended; raises what `check` raises."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while not self.ended:
            self._check()
            might_fail = self._may_fail()
            try:
                await self._take(await self._look())
            except Unavailable:
                await self._failed(excused=might_fail or self._may_fail())
            now = loop.time()
            self.longest_gap = max(self.longest_gap, now - last)
            last = now
            await asyncio.sleep(EVERY - now % EVERY)

    async def next(self) -> P:
        """Wait for one more sample; the last one there is once the generation has ended."""
        seen = self.samples
        async with self._changed:
            await self._changed.wait_for(lambda: self.samples > seen or self.ended)
        assert self.latest is not None
        return self.latest

    async def until(self, holds: Callable[[P], bool]) -> bool:
        """Wait until a sample has it; False if the generation ended without."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.latest is not None and (self.latest.ended or holds(self.latest)))
        assert self.latest is not None
        return holds(self.latest)

    async def _take(self, status: P) -> None:
        self.samples += 1
        self.wrong += contradictions(self.latest, status)
        async with self._changed:
            self.latest = status
            self._changed.notify_all()

    async def _failed(self, *, excused: bool) -> None:
        if excused:
            self.unanswered += 1
        else:
            self.wrong.append("the status could not be read")


def contradictions(before: Progress | None, status: Progress) -> list[str]:
    """What a status says that cannot be, in itself or after the one before."""
    found = []
    if status.n_completed + status.n_failed + status.n_pending != status.n_clusters:
        found.append("clusters done, failed and pending are not all clusters")
    if status.n_running > status.n_pending:
        found.append("more clusters run than are pending")
    if before is None:
        return found
    found += [
        f"{name} went back from {getattr(before, name)} to {getattr(status, name)}"
        for name in ("progress", "n_completed", "n_failed", "n_clusters")
        if getattr(status, name) < getattr(before, name)
    ]
    if ORDER.index(status.status) < ORDER.index(before.status):
        found.append(f"status went back from {before.status} to {status.status}")
    return found
