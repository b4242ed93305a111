"""The scripts of workers with limits, of groups, and of cancelling."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias, cast

from holdfast.queue.scripts.loading import Caller
from holdfast.queue.scripts.working import Row

Cancelled: TypeAlias = Literal["cancelled", "stopping", "ended", "missing"]


class Limits(NamedTuple):
    """What a worker may start, as the script takes it; 0 = any number."""

    max: int = 0  # jobs in a window
    per_ms: int = 0
    most: int = 0  # jobs of one group at once
    group_max: int = 0  # jobs of one group in a window
    group_ms: int = 0

    @property
    def of_groups(self) -> bool:
        """Whether groups matter."""
        return self.most > 0 or self.group_max > 0


class LimitScripts(Caller):
    """Takes within limits, keeps the lines of groups, cancels."""

    async def take_limited(
        self, limit: int, token: str, lock_ms: int, limits: Limits
    ) -> tuple[list[Row], float | None, int]:
        """Lock and return up to `limit` jobs; seconds until it is worth asking again, None when nothing is known of;
        and how many ids are not in line yet."""
        k = self._keys
        keys = (k.wait, k.active, k.priority, k.meta_paused, k.limiter)
        rows, again_ms, unsorted = await self._run("take_limited", keys, (k.base, limit, token, lock_ms, *limits))
        return cast("list[Row]", rows), None if again_ms < 0 else again_ms / 1000, unsorted

    async def line_up(self, limit: int) -> int:
        """Sort what waits into the lines of its groups; returns how many ids are not in line yet."""
        k = self._keys
        return cast("int", await self._run("line_up", (k.wait, k.priority, k.meta_paused), (k.base, limit)))

    async def unpark(self, limit: int) -> int:
        """Give jobs in line back to wait when no worker with limits is left; returns how many there are still."""
        k = self._keys
        keys = (k.wait, k.paused, k.meta_paused, k.priority, k.limiting, k.parked, k.lines)
        return cast("int", await self._run("unpark", keys, (k.base, limit)))

    async def say_limiting(self, ttl_ms: int) -> None:
        """Say that a worker with limits lives."""
        await self._link.call("SET", self._keys.limiting, "1", "PX", ttl_ms)

    async def anything_to_tend(self) -> bool:
        """Whether anything is in line or cancelled."""
        k = self._keys
        return bool(await self._link.call("EXISTS", k.parked, k.lines, k.cancels))

    async def cancel(self, job_id: str) -> Cancelled:
        """Cancel a job wherever it is."""
        return cast("Cancelled", (await self._run("cancel", self._places(), (self._keys.base, job_id))).decode())

    async def sweep_cancels(self, limit: int) -> list[str]:
        """Cancel what was running when that was asked for and waits again by now; returns the ids."""
        swept = await self._run("sweep_cancels", self._places(), (self._keys.base, limit))
        return [job_id.decode() for job_id in swept]

    def _places(self) -> Sequence[str]:
        k = self._keys
        return (k.wait, k.paused, k.active, k.delayed, k.priority, k.completed, k.failed, k.cancels)
