"""The audit of a queue, and its repair: each id in exactly one place, and nothing else left lying about.

Works in steps while workers go on. Jobs move while they are looked for, so nothing is believed that one pass saw: a
finding was confirmed by an atomic look at that very id, and a repair looks again in the script that mends.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import Any, Literal, cast

from holdfast.errors import BadJob, NotConfigured
from holdfast.queue.client.connected import Connected
from holdfast.queue.client.findings import AuditReport, Finding, FindingKind, places_in, verdict
from holdfast.queue.client.repeating import LOOK_CHUNK as REPEATABLES
from holdfast.queue.client.repeating import Found, look
from holdfast.queue.client.survey import MOST_SUSPECTS, Survey

LITTER_CHUNK = 250
DEAD_FOR_MS = 60_000  # a worker that was silent for so long does not come back unnoticed
MOMENT = 0.5  # seconds between two looks at what somebody may be changing right now


class Auditing(Connected):
    """Finds what should not be in a queue."""

    async def audit(self) -> AuditReport:
        """Look for what should not be; changes nothing.

        It reads the names of all keys of the database and every list, in steps of a few milliseconds, and remembers
        the ids that wait: about 200 bytes each. Every finding costs a search of the lists. Workers may go on.
        """
        return await self.repair(dry_run=True)

    async def repair(self, *, dry_run: bool = True) -> AuditReport:
        """Audit, and mend what is found unless it is a `dry_run`; each finding says whether it was mended."""
        started = monotonic()
        survey = Survey(self.keys, self._ask, self._look)
        wrong = await survey.run()
        findings = [await self._judged(job_id, letters, fix=not dry_run) for job_id, letters in wrong.items()]
        async for finding in self._litter(survey.names, fix=not dry_run):
            findings.append(finding)
            if len(findings) > MOST_SUSPECTS:
                break
        return AuditReport(
            queue=self.name,
            looked_at=survey.looked_at,
            took=timedelta(seconds=monotonic() - started),
            findings=tuple(findings),
            is_complete=survey.is_complete and len(findings) <= MOST_SUSPECTS,
        )

    async def _judged(self, job_id: str, letters: str, *, fix: bool) -> Finding:
        kind = cast("FindingKind", verdict(letters))
        finding = Finding(kind=kind, subject=job_id, places=places_in(letters))
        if not fix:
            return finding
        word = await self._patiently(lambda: self._scripts.repair_job(kind, job_id, letters, sender=self.id))
        return replace(finding, repaired=word == "ok")

    async def _litter(self, names: Sequence[str], *, fix: bool) -> AsyncIterator[Finding]:
        parts = (
            self._stale_keeps([name for name in names if name.startswith("keep:")], fix),
            self._loose_debounces([name[len("de:") :] for name in names if name.startswith("de:")], fix),
            self._silent_repeatables(fix),
            self._pause_marks(fix),
            self._dead_workers(fix),
        )
        for part in parts:
            async for finding in part:
                yield finding

    async def _stale_keeps(self, indexes: Sequence[str], fix: bool) -> AsyncIterator[Finding]:
        for name in indexes:
            state = name.split(":")[1]
            if state not in ("completed", "failed"):
                continue
            index, cursor = self.keys.base + name, b"0"
            while True:
                cursor, page = await self._ask("ZSCAN", index, cursor, "COUNT", LITTER_CHUNK)
                ids = [job_id.decode() for job_id in page[::2]]
                stale = await self._patiently(
                    lambda ids=ids, index=index, state=state: self._scripts.repair_keep(  # type: ignore[misc]
                        index, self.keys.base + state, ids, fix=fix
                    )
                )
                for job_id in stale:
                    yield Finding(kind="stale_keep", subject=job_id, places=(name,), repaired=fix)
                if cursor == b"0":
                    break

    async def _loose_debounces(self, debounces: Sequence[str], fix: bool) -> AsyncIterator[Finding]:
        for first in range(0, len(debounces), LITTER_CHUNK):
            some = debounces[first : first + LITTER_CHUNK]
            loose = await self._patiently(lambda some=some: self._scripts.repair_debounce(some, fix=fix))  # type: ignore[misc]
            for debounce in loose:
                yield Finding(kind="loose_debounce", subject=f"de:{debounce}", repaired=fix)

    async def _silent_repeatables(self, fix: bool) -> AsyncIterator[Finding]:
        before = {found.key async for _, found in self._without_run()}
        if not before:
            return
        await asyncio.sleep(MOMENT)  # one that was taken just now is being armed again
        async for now_ms, found in self._without_run():
            if found.key in before:
                mended = fix and await self._armed(found, now_ms)
                yield Finding(kind="silent_repeatable", subject=found.key, repaired=mended)

    async def _without_run(self) -> AsyncIterator[tuple[int, Found]]:
        for start in itertools.count(0, REPEATABLES):
            now_ms, found = await self._patiently(lambda start=start: look(self._scripts, start))  # type: ignore[misc]
            for each in found:
                if each.word == "missing":
                    yield now_ms, each
            if len(found) < REPEATABLES:
                return

    async def _armed(self, found: Found, now_ms: int) -> bool:
        if found.run is None:
            return False  # nothing is known of what it was made of: set it again, or remove it
        try:
            run = found.to_arm(now_ms)
        except (BadJob, NotConfigured):
            return False
        word = await self._patiently(lambda: self._scripts.arm(self.id, found.key, found.due_ms, run, now_ms))
        return word == "ok"

    async def _pause_marks(self, fix: bool) -> AsyncIterator[Finding]:
        if not await self._marks_disagree():
            return
        await asyncio.sleep(MOMENT)  # a pause of a long list goes in steps
        if not await self._marks_disagree():
            return
        if fix:
            is_paused = await self._ask("EXISTS", self.keys.meta_paused)
            to: Literal["paused", "resumed"] = "paused" if is_paused else "resumed"
            while await self._patiently(lambda: self._scripts.pause(to, LITTER_CHUNK)) == "more":
                pass
        yield Finding(kind="pause_marks", subject=self.keys.meta_paused, repaired=fix)

    async def _marks_disagree(self) -> bool:
        k = self.keys
        is_paused = bool(await self._ask("EXISTS", k.meta_paused))
        says_so = bool(await self._ask("HEXISTS", k.meta, "paused"))
        misplaced = await self._ask("EXISTS", k.wait if is_paused else k.paused)
        return is_paused != says_so or bool(misplaced)

    async def _dead_workers(self, fix: bool) -> AsyncIterator[Finding]:
        seconds, _ = await self._ask("TIME")
        until = int(seconds) * 1000 - DEAD_FOR_MS
        for worker in await self._ask("ZRANGEBYSCORE", self.keys.presence, "-inf", until):
            if fix:
                await self._ask("ZREM", self.keys.presence, worker)
            yield Finding(kind="dead_worker", subject=worker.decode(), repaired=fix)

    async def _ask(self, *command: Any) -> Any:
        return await self._patiently(lambda: self._link.call(*command))

    async def _look(self, ids: Sequence[str], *, depth: Literal[0, 1, 2]) -> list[str]:
        return await self._patiently(lambda: self._scripts.audit_look(ids, depth=depth))
