"""What an operator wants to see of a queue beside its counts: how it goes, and everything about one job."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from holdfast.queue.client.connected import Connected
from holdfast.queue.keys import may_be_job

MINUTE_MS = 60_000
SCORE_PER_MS = 4096  # of the delayed: due ms * 4096 + low bits
SCAN_COUNT = 1_000
SCAN_PAGES = 200  # looked through for the names of other queues, no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How a queue goes."""

    exists: bool  # whether a job was ever added to it
    is_paused: bool
    added: int  # jobs so far, by Bull's counter
    finished_last_minute: int  # of those that are kept
    oldest_waiting: timedelta | None  # since the oldest of those to run next was added, by its producer's clock
    ghosts: int  # ids that were set aside


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetails:
    """Everything that is kept of one job."""

    fields: dict[str, str]  # of its hash, as they are on the wire
    lock: str | None  # the token of the attempt that holds it: `<worker id>:<number>` if the worker is one of ours
    lock_left: timedelta | None  # None also for a lock that never ends

    @property
    def worker(self) -> str | None:
        """The id of the worker that holds it."""
        return self.lock.partition(":")[0] if self.lock else None


class Observing(Connected):
    """Looks at a queue; changes none of its jobs."""

    async def overview(self) -> Overview:
        """How it goes."""
        k = self.keys
        seconds, micros = await self._ask_for("TIME")
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        added = await self._ask_for("GET", k.id)
        ended = [await self._ask_for("ZCOUNT", zset, now_ms - MINUTE_MS, "+inf") for zset in (k.completed, k.failed)]
        oldest_ms = await self._oldest_ms()
        waited = None if oldest_ms is None else timedelta(milliseconds=max(0, now_ms - oldest_ms))
        return Overview(
            exists=added is not None or bool(await self._ask_for("EXISTS", k.wait, k.completed, k.failed)),
            is_paused=bool(await self._ask_for("EXISTS", k.meta_paused)),
            added=int(added or 0),
            finished_last_minute=sum(ended),
            oldest_waiting=waited,
            ghosts=int(await self._ask_for("LLEN", k.ghosts)),
        )

    async def details(self, job_id: str) -> JobDetails | None:
        """Everything about one job but its log, which `logs` reads; None when there is none."""
        if not may_be_job(job_id):
            return None
        pairs = await self._ask_for("HGETALL", self.keys.job(job_id))
        if not pairs:
            return None
        texts = [raw.decode(errors="replace") for raw in pairs]
        lock = await self._ask_for("GET", self.keys.lock(job_id))
        left_ms = await self._ask_for("PTTL", self.keys.lock(job_id))
        return JobDetails(
            fields=dict(zip(texts[::2], texts[1::2], strict=True)),
            lock=lock.decode(errors="replace") if lock else None,
            lock_left=timedelta(milliseconds=left_ms) if left_ms >= 0 else None,
        )

    async def neighbours(self) -> list[str]:
        """Names of queues with this prefix, as far as they are soon found."""
        pattern = re.sub(r"([\\*?\[\]^])", r"\\\1", self.prefix) + ":*:id"
        names: set[str] = set()
        cursor = b"0"
        for _ in range(SCAN_PAGES):
            cursor, page = await self._ask_for("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT)
            names |= {key.decode(errors="replace")[len(self.prefix) + 1 : -len(":id")] for key in page}
            if cursor == b"0":
                break
        return sorted(names)

    async def ages(self) -> dict[str, timedelta]:
        """How long the oldest job of a state has been in it, of those that have one: wait or paused since it was added,
        active since its attempt began, delayed since it was due (0 while none is)."""
        k = self.keys
        seconds, micros = await self._ask_for("TIME")
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        paused = bool(await self._ask_for("EXISTS", k.meta_paused))
        since = {"paused" if paused else "wait": await self._oldest_ms(k.paused if paused else k.wait)}
        taken = await self._ask_for("LINDEX", k.active, -1)
        if taken is not None:
            begun = await self._ask_for("HGET", k.job(taken.decode(errors="replace")), "processedOn")
            since["active"] = int(begun) if begun and begun.isdigit() else None
        first = await self._ask_for("ZRANGE", k.delayed, 0, 0, "WITHSCORES")
        if first:
            since["delayed"] = min(int(float(first[-1])) // SCORE_PER_MS, now_ms)
        return {state: timedelta(milliseconds=max(0, now_ms - at)) for state, at in since.items() if at is not None}

    async def note(self, name: str, text: str, *, keep: timedelta) -> None:
        """Leave a note beside the queue, for other processes of whoever runs it."""
        await self._ask_for("SET", f"{self.keys.base}holdfast:{name}", text, "EX", max(1, int(keep.total_seconds())))

    async def noted(self, name: str) -> str | None:
        """The note of that name; None when there is none (any more)."""
        found = await self._ask_for("GET", f"{self.keys.base}holdfast:{name}")
        return None if found is None else found.decode()

    async def _oldest_ms(self, line: str | None = None) -> int | None:
        """When the oldest of those was added that are next: of the prioritized, of the others, and of those in line."""
        k = self.keys
        line = k.wait if line is None else line
        prioritized = await self._ask_for("ZCARD", k.priority)
        ids = [await self._ask_for("LINDEX", line, place) for place in (-1, -1 - prioritized)]
        ids += await self._ask_for("ZRANGE", k.parked, 0, 0)
        times = [await self._ask_for("HGET", k.job(each.decode(errors="replace")), "timestamp") for each in ids if each]
        known = [int(at) for at in times if at and at.isdigit()]
        return min(known, default=None)

    async def _ask_for(self, *command: str | int | bytes) -> Any:
        return await self._patiently(lambda: self._link.call(*command))
