"""The scripts of the audit and of its repairs."""

from collections.abc import Sequence
from typing import Literal, cast

from holdfast.queue.scripts.loading import Caller


class AuditScripts(Caller):
    """Looks for what should not be, and mends it."""

    async def audit_look(self, ids: Sequence[str], *, depth: Literal[0, 1, 2]) -> list[str]:
        """Where ids are, in the letters of parts/places.lua."""
        reply = await self._run("audit_look", (self._keys.active,), (self._keys.base, depth, *ids))
        return [letters.decode() for letters in reply]

    async def repair_job(self, kind: str, job_id: str, letters: str, *, sender: str) -> Literal["ok", "changed"]:
        """Put one id right."""
        k = self._keys
        keys = (k.wait, k.paused, k.active, k.delayed, k.completed, k.failed, k.priority, k.meta_paused)
        reply = await self._run("repair_job", keys, (k.base, sender, kind, job_id, letters))
        return cast('Literal["ok", "changed"]', reply.decode())

    async def repair_keep(self, index: str, state_zset: str, ids: Sequence[str], *, fix: bool) -> list[str]:
        """Members of a retention index that are not finished so."""
        reply = await self._run("repair_keep", (index, state_zset), (self._keys.base, int(fix), *ids))
        return [job_id.decode() for job_id in reply]

    async def repair_debounce(self, debounces: Sequence[str], *, fix: bool) -> list[str]:
        """Debounce ids whose job is gone."""
        reply = await self._run("repair_debounce", (self._keys.active,), (self._keys.base, int(fix), *debounces))
        return [debounce.decode() for debounce in reply]
