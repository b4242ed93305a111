"""The scripts of those who look at a queue and keep it in order."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, cast

from holdfast.queue.scripts.loading import Caller

Requeued: TypeAlias = Literal["ok", "missing", "locked", "not_failed"]
Removed: TypeAlias = Literal["ok", "locked", "missing"]

STATES_BOUND = 10_000  # lists longer than this are not searched for a job's state


class KeepScripts(Caller):
    """Looks at jobs and moves them because somebody asks for it."""

    async def states(self, ids: Sequence[str]) -> list[str]:
        """Where jobs are; '' where there is none."""
        k = self._keys
        keys = (k.wait, k.paused, k.active, k.delayed, k.completed, k.failed)
        reply = await self._run("states", keys, (k.base, STATES_BOUND, *ids))
        return [word.decode() for word in reply]

    async def counts(self) -> list[int]:
        """How many wait, are active, completed, failed, delayed, paused."""
        k = self._keys
        reply = await self._run("counts", (k.wait, k.active, k.completed, k.failed, k.delayed, k.paused), ())
        return cast("list[int]", reply)

    async def remove(self, job_id: str) -> Removed:
        """Remove a job wherever it is."""
        k = self._keys
        keys = (k.wait, k.paused, k.active, k.delayed, k.priority, k.completed, k.failed)
        reply = await self._run("remove", keys, (k.base, job_id))
        return cast("Removed", reply.decode())

    async def requeue(self, job_id: str, sender: str, *, fresh: bool) -> Requeued:
        """Run a failed job again."""
        k = self._keys
        keys = (k.failed, k.wait, k.paused, k.meta_paused, k.priority)
        reply = await self._run("requeue", keys, (k.base, job_id, sender, int(fresh)))
        return cast("Requeued", reply.decode())

    async def pause(self, to: Literal["paused", "resumed"], limit: int) -> Literal["ok", "more"]:
        """Pause or resume; 'more' asks to be called again."""
        k = self._keys
        lists = (k.wait, k.paused) if to == "paused" else (k.paused, k.wait)
        reply = await self._run("pause", (*lists, k.meta_paused, k.meta), (k.base, to, limit))
        return cast('Literal["ok", "more"]', reply.decode())
