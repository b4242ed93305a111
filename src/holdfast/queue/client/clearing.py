"""Taking jobs out of a queue in numbers: clean, drain, obliterate, and the quarantine of ids without a job."""

import re
from typing import Literal, TypeAlias

from holdfast.errors import QueueError
from holdfast.queue.client.connected import Connected
from holdfast.queue.jobs.durations import Seconds, to_ms

Cleanable: TypeAlias = Literal["wait", "paused", "delayed", "completed", "failed"]
CLEANABLE: tuple[Cleanable, ...] = ("wait", "paused", "delayed", "completed", "failed")

CLEAN_CHUNK = 200  # jobs one script call looks at
SCAN_COUNT = 1_000
UNLINK_CHUNK = 500


class Clearing(Connected):
    """Removes jobs in bounded steps; workers go on meanwhile."""

    async def clean(self, state: Cleanable, *, older_than: Seconds = 0, limit: int | None = None) -> int:
        """Remove jobs of one state, the oldest first, at most `limit`; returns how many.

        `older_than` (seconds or timedelta) counts from the end of a completed or failed job, and from the add of any
        other, by Redis' clock. Never removed: jobs an attempt holds, the next runs of repeatables, and those whose age
        is unknown. QueueError for `active`: `repair` puts abandoned ones back.
        """
        if state not in CLEANABLE:
            raise QueueError(f"{state} jobs cannot be cleaned; say one of {', '.join(CLEANABLE)}")
        age_ms, removed = to_ms(older_than, what="older_than"), 0
        for source in ("wait", "parked") if state == "wait" else (state,):
            removed += await self._clean(source, age_ms, None if limit is None else limit - removed)
        return removed

    async def drain(self, *, delayed: bool = False) -> int:
        """Remove all jobs that wait, paused ones included, and with `delayed` those too; returns how many.

        Jobs added meanwhile stay, and so do running ones, finished ones and the next runs of repeatables.
        """
        states = ["wait", "paused", "parked", "delayed"] if delayed else ["wait", "paused", "parked"]
        return sum([await self._clean(state, None, None) for state in states])

    async def obliterate(self, *, force: bool = False) -> None:
        """Delete the queue with all its jobs, logs, counters, limits, repeatables and traces of workers.

        QueueError unless it is paused, and while jobs are active; `force` pauses it and deletes those too: what then
        comes of them is dropped. It looks through the names of all keys of the database, in steps. Stop the producers
        first: a job that is added meanwhile may be lost.
        """
        if force:
            await self._patiently(lambda: self._link.call("SET", self.keys.meta_paused, "1"))
        k = self.keys
        for source in (k.wait, k.parked, k.paused, k.delayed, k.completed, k.failed, k.active):
            await self._empty(source, force=force)
        ours = await self._remaining()
        for first in range(0, len(ours), UNLINK_CHUNK):
            chunk = ours[first : first + UNLINK_CHUNK]
            await self._patiently(lambda chunk=chunk: self._link.call("UNLINK", *chunk))  # type: ignore[misc]

    async def ghosts(self, limit: int = 1_000) -> list[str]:
        """The newest ids that were set aside because there was no job behind them."""
        ids = await self._patiently(lambda: self._link.call("LRANGE", self.keys.ghosts, 0, limit - 1))
        return [job_id.decode(errors="replace") for job_id in ids]

    async def clear_ghosts(self) -> int:
        """Forget them; returns how many there were."""
        count = await self._patiently(lambda: self._link.call("LLEN", self.keys.ghosts))
        await self._patiently(lambda: self._link.call("LTRIM", self.keys.ghosts, 0, -count - 1))
        return int(count)

    async def _clean(self, state: str, age_ms: int | None, limit: int | None) -> int:
        source = getattr(self.keys, state)
        command = "LLEN" if state in ("wait", "paused") else "ZCARD"
        left = await self._patiently(lambda: self._link.call(command, source))  # what comes after is not looked at
        removed = stay = 0
        while left > 0 and (limit is None or removed < limit):
            most = min(CLEAN_CHUNK, left, CLEAN_CHUNK if limit is None else limit - removed)
            looked_at, gone = await self._patiently(
                lambda most=most, stay=stay: self._scripts.clean(source, age_ms=age_ms, offset=stay, limit=most)  # type: ignore[misc]
            )
            if looked_at == 0:
                break
            left -= looked_at
            removed += gone
            stay += looked_at - gone
        return removed

    async def _empty(self, source: str, *, force: bool) -> None:
        while True:
            word = await self._patiently(lambda: self._scripts.obliterate(source, force=force, limit=CLEAN_CHUNK))
            if word == "running":
                raise QueueError(f"queue {self.name} is not paused; pause it first, so that no worker takes a job")
            if word == "active":
                raise QueueError(f"queue {self.name} has active jobs; wait for them, or use force")
            if word == "ok":
                return

    async def _remaining(self) -> list[str]:
        """The keys of this queue, not those of a queue whose name begins with this one's and a colon."""
        base, found, cursor = self.keys.base, list[str](), b"0"
        pattern = re.sub(r"([\\*?\[\]^])", r"\\\1", base) + "*"
        while True:
            scan = ("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT)
            cursor, keys = await self._patiently(lambda scan=scan: self._link.call(*scan))  # type: ignore[misc]
            found += [key.decode()[len(base) :] for key in keys]
            if cursor == b"0":
                break
        # Every queue that ever had a job has a counter.
        nested = tuple(rest[: -len("id")] for rest in found if rest.endswith(":id") and not rest.startswith("limiter:"))
        return [base + rest for rest in found if not rest.startswith(nested)]
