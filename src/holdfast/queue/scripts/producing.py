"""The scripts of producers."""

from collections.abc import Sequence

from holdfast.queue.link.wire import Argument
from holdfast.queue.scripts.loading import Caller


class AddScripts(Caller):
    """Adds jobs."""

    async def add(self, sender: str, jobs: Sequence[Argument]) -> tuple[list[str], list[int]]:
        """Add jobs given as 8 values each; returns their ids, and the positions (from 0) of those that existed."""
        k = self._keys
        keys = (k.id, k.wait, k.paused, k.meta_paused, k.delayed, k.priority)
        ids, existing = await self._run("add", keys, (k.base, sender, *jobs))
        return [job_id.decode() for job_id in ids], [position - 1 for position in existing]

    async def add_debounced(self, sender: str, jobs: Sequence[Argument]) -> tuple[list[str], list[int]]:
        """As `add`, of jobs given as 11 values each, some of them debounced; those that hold others off existed."""
        k = self._keys
        keys = (k.id, k.wait, k.paused, k.meta_paused, k.delayed, k.priority)
        ids, existing = await self._run("add_debounced", keys, (k.base, sender, *jobs))
        return [job_id.decode() for job_id in ids], [position - 1 for position in existing]
