"""The scripts of producers."""

from collections.abc import Sequence

from holdfast.queue.connection import Argument
from holdfast.queue.scripts.loading import Caller


class AddScripts(Caller):
    """Adds jobs."""

    async def add(self, sender: str, jobs: Sequence[Argument]) -> list[tuple[str, bool]]:
        """Add jobs given as 8 values each; returns (id, whether it is new)."""
        k = self._keys
        keys = (k.id, k.wait, k.paused, k.meta_paused, k.delayed, k.priority)
        reply = await self._run("add", keys, (k.base, sender, *jobs))
        return [(reply[i].decode(), reply[i + 1] == b"added") for i in range(0, len(reply), 2)]
