"""The scripts of those who look at a queue and keep it in order."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, cast

from holdfast.queue.scripts.loading import Caller

Moved: TypeAlias = Literal["ok", "missing", "locked", "elsewhere"]
Removed: TypeAlias = Literal["ok", "locked", "missing"]
Obliterated: TypeAlias = Literal["ok", "more", "running", "active"]

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
        keys = (k.wait, k.active, k.completed, k.failed, k.delayed, k.paused, k.parked, k.meta_paused)
        reply = await self._run("counts", keys, ())
        return cast("list[int]", reply)

    async def remove(self, job_id: str) -> Removed:
        """Remove a job wherever it is."""
        k = self._keys
        keys = (k.wait, k.paused, k.active, k.delayed, k.priority, k.completed, k.failed)
        reply = await self._run("remove", keys, (k.base, job_id))
        return cast("Removed", reply.decode())

    async def requeue(self, source: str, ids: Sequence[str], sender: str, *, fresh: bool) -> list[Moved]:
        """Run jobs of the zset `source` again."""
        k = self._keys
        keys = (source, k.wait, k.paused, k.meta_paused, k.priority)
        return _words(await self._run("requeue", keys, (k.base, sender, int(fresh), *ids)))

    async def promote_one(self, ids: Sequence[str], sender: str) -> list[Moved]:
        """Let delayed jobs wait."""
        k = self._keys
        keys = (k.delayed, k.wait, k.paused, k.meta_paused, k.priority)
        return _words(await self._run("promote_one", keys, (k.base, sender, *ids)))

    async def clean(self, source: str, *, age_ms: int | None, offset: int, limit: int) -> tuple[int, int]:
        """Remove old jobs of the list or zset `source`; returns how many were looked at, and removed."""
        k = self._keys
        args = (k.base, "" if age_ms is None else age_ms, offset, limit)
        looked_at, removed = await self._run("clean", (source, k.priority), args)
        return looked_at, removed

    async def obliterate(self, source: str, *, force: bool, limit: int) -> Obliterated:
        """Delete jobs of the list or zset `source`; 'more' asks to be called again."""
        k = self._keys
        reply = await self._run("obliterate", (k.meta_paused, k.active, source), (k.base, int(force), limit))
        return cast("Obliterated", reply.decode())

    async def pause(self, to: Literal["paused", "resumed"], limit: int) -> Literal["ok", "more"]:
        """Pause or resume; 'more' asks to be called again."""
        k = self._keys
        lists = (k.wait, k.paused) if to == "paused" else (k.paused, k.wait)
        reply = await self._run("pause", (*lists, k.meta_paused, k.meta), (k.base, to, limit))
        return cast('Literal["ok", "more"]', reply.decode())


def _words(reply: list[bytes]) -> list[Moved]:
    return [cast("Moved", word.decode()) for word in reply]
