"""The status of the generation, looked at ten times a second from its first moment to its last."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from holdfast.demo.workers import Workers
from holdfast.errors import Unavailable
from holdfast.service import Service, Status

EVERY = 0.1  # seconds
ORDER = ("queued", "processing", "paused", "completed", "partial", "failed", "cancelled")


class Sampler:
    """Keeps the newest status, and everything that was wrong with any."""

    def __init__(self, service: Service, generation_id: UUID, workers: Workers) -> None:
        self._service = service
        self._id = generation_id
        self._workers = workers
        self._changed = asyncio.Condition()
        self.latest: Status | None = None
        self.samples = 0
        self.longest_gap = 0.0  # seconds between two samples
        self.wrong: list[str] = []

    @property
    def ended(self) -> bool:
        """Whether the generation has ended."""
        return self.latest is not None and self.latest.ended

    async def run(self) -> None:
        """Sample until the generation has ended; raises HoldfastError when a worker ended by itself."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while not self.ended:
            self._workers.check()
            try:
                await self._take(await self._service.generations.status(self._id))
            except Unavailable:
                self.wrong.append("the status could not be read")
            now = loop.time()
            self.longest_gap = max(self.longest_gap, now - last)
            last = now
            await asyncio.sleep(EVERY - now % EVERY)

    async def next(self) -> Status:
        """Wait for one more sample; the last one there is once the generation has ended."""
        seen = self.samples
        async with self._changed:
            await self._changed.wait_for(lambda: self.samples > seen or self.ended)
        assert self.latest is not None
        return self.latest

    async def until(self, holds: Callable[[Status], bool]) -> bool:
        """Wait until a sample has it; False if the generation ended without."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.latest is not None and (self.latest.ended or holds(self.latest)))
        assert self.latest is not None
        return holds(self.latest)

    async def _take(self, status: Status) -> None:
        self.samples += 1
        self.wrong += contradictions(self.latest, status)
        async with self._changed:
            self.latest = status
            self._changed.notify_all()


def contradictions(before: Status | None, status: Status) -> list[str]:
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
