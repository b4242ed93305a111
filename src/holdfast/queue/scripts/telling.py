"""The script of those who wait for what becomes of a job."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias, cast

from holdfast.queue.scripts.loading import Caller

Ending: TypeAlias = Literal["completed", "failed", "pending", "missing"]


class Fate(NamedTuple):
    """What has become of a job so far."""

    ending: Ending
    text: bytes  # the returnvalue as JSON, or the reason; empty while it is pending or when it is missing


class TellScripts(Caller):
    """Looks at how jobs ended."""

    async def fates(self, ids: Sequence[str]) -> list[Fate]:
        """What has become of each job, removed ones included as long as they are remembered."""
        k = self._keys
        reply = await self._run("fates", (k.completed, k.failed), (k.base, *ids))
        return [Fate(cast("Ending", reply[i].decode()), reply[i + 1]) for i in range(0, len(reply), 2)]
