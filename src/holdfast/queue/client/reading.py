"""The reader's side of a queue: jobs, counts, states, workers."""

import asyncio
from collections.abc import Sequence
from typing import Literal, TypeAlias, cast

from holdfast.queue.client.following import Following
from holdfast.queue.jobs.job import READ_FIELDS, Job
from holdfast.queue.link.presence import LiveWorker

State: TypeAlias = Literal["wait", "active", "completed", "failed", "delayed", "paused"]
STATES: tuple[State, ...] = ("wait", "active", "completed", "failed", "delayed", "paused")

READ_CHUNK = 500


class Reading(Following):
    """Reads jobs; changes nothing."""

    async def get(self, job_id: str) -> Job | None:
        """The job as it is now; None when there is none."""
        return (await self._read([job_id]))[0]

    async def jobs(self, state: State, start: int = 0, end: int = -1) -> list[Job]:
        """Jobs of one state, from position `start` to `end` inclusive (-1 = all): wait, paused and delayed in the order
        in which they will run, active oldest first, completed and failed newest first."""
        found = await self._read([job_id.decode() for job_id in await self._ids(state, start, end)])
        return [job for job in found if job is not None]

    async def job_ids(self, state: State, start: int = 0, end: int = -1) -> list[str]:
        """The ids of what `jobs` gives, for a single read of the list."""
        return [job_id.decode(errors="replace") for job_id in await self._ids(state, start, end)]

    async def _ids(self, state: State, start: int, end: int) -> list[bytes]:
        key = getattr(self.keys, state)
        ids: list[bytes]
        if state in ("wait", "paused", "active"):
            ids, passed = await self._in_line(state, start, end)
            stop = -1 - max(0, start - passed)
            begin = 0 if end < 0 else -1 - (end - passed)
            if end < 0 or end >= passed:
                others = await self._patiently(lambda: self._link.call("LRANGE", key, begin, stop))
                ids += reversed(others)
        else:
            command = "ZRANGE" if state == "delayed" else "ZREVRANGE"
            ids = await self._patiently(lambda: self._link.call(command, key, start, end))
        return ids

    async def counts(self) -> dict[str, int]:
        """How many jobs are in each state, at one moment: wait, active, completed, failed, delayed, paused."""
        return dict(zip(STATES, await self._patiently(self._scripts.counts), strict=True))

    async def states(self, ids: Sequence[str]) -> dict[str, str | None]:
        """Where each job is: one of the six states, None when there is no such job, or 'orphan'.

        An orphan's data are there but it is in no list (Redis came back older than it was): `remove` it to add it
        again. In lists of more than 10,000 ids a job is not searched for; it counts as waiting.
        """
        found: dict[str, str | None] = {}
        for first in range(0, len(ids), READ_CHUNK):
            chunk = ids[first : first + READ_CHUNK]
            words = await self._patiently(lambda chunk=chunk: self._scripts.states(chunk))  # type: ignore[misc]
            found |= {job_id: word or None for job_id, word in zip(chunk, words, strict=True)}
        return found

    async def workers(self) -> list[LiveWorker]:
        """The workers that are alive by their presence keys."""
        seconds, micros = await self._patiently(lambda: self._link.call("TIME"))
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        ids = await self._patiently(lambda: self._link.call("ZRANGEBYSCORE", self.keys.presence, now_ms, "+inf"))
        if not ids:
            return []
        names = [f"{self.keys.presence}:{worker.decode()}" for worker in ids]
        abouts = await self._patiently(lambda: self._link.call("MGET", *names))
        return [LiveWorker.from_json(about) for about in abouts if about is not None]

    async def _in_line(self, state: State, start: int, end: int) -> tuple[list[bytes], int]:
        """Those of the range that workers with limits hold back, who come before the others, and how many there are."""
        parked = self.keys.parked
        count = 0 if state == "active" else await self._patiently(lambda: self._link.call("ZCARD", parked))
        if not count:
            return [], 0
        is_paused = await self._patiently(lambda: self._link.call("EXISTS", self.keys.meta_paused))
        if bool(is_paused) != (state == "paused"):
            return [], 0
        return await self._patiently(lambda: self._link.call("ZRANGE", parked, start, end)), count

    async def _read(self, ids: Sequence[str]) -> list[Job | None]:
        found: list[Job | None] = []
        for first in range(0, len(ids), READ_CHUNK):
            chunk = ids[first : first + READ_CHUNK]
            rows = await asyncio.gather(*(self._read_one(job_id) for job_id in chunk))
            found += [
                Job(job_id, row, token=None, reports=self) if any(value is not None for value in row) else None
                for job_id, row in zip(chunk, rows, strict=True)
            ]
        return found

    async def _read_one(self, job_id: str) -> list[bytes | None]:
        row = await self._patiently(lambda: self._link.call("HMGET", self.keys.job(job_id), *READ_FIELDS))
        return cast("list[bytes | None]", row)
