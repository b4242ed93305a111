"""The operator's side of a queue: pause, resume, retry, promote, remove."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeAlias

from holdfast.errors import JobNotFound, QueueError
from holdfast.queue.client.connected import Connected
from holdfast.queue.keys import may_be_job
from holdfast.queue.scripts import Moved

Finished: TypeAlias = Literal["completed", "failed"]

PAUSE_CHUNK = 1_000
MOVE_CHUNK = 200  # jobs one script call moves


class Keeping(Connected):
    """Moves jobs because somebody asks for it."""

    async def pause(self) -> None:
        """Let no worker take a job until `resume`; running ones go on."""
        while await self._patiently(lambda: self._scripts.pause("paused", PAUSE_CHUNK)) == "more":
            pass

    async def resume(self) -> None:
        """Let workers take jobs again."""
        while await self._patiently(lambda: self._scripts.pause("resumed", PAUSE_CHUNK)) == "more":
            pass

    async def is_paused(self) -> bool:
        """Whether the queue is paused for all workers."""
        return bool(await self._patiently(lambda: self._link.call("EXISTS", self.keys.meta_paused)))

    async def remove(self, job_id: str) -> bool:
        """Remove a job and its log, whatever its state; False when it is not there. QueueError while it runs.

        A waiting job is searched for in its list, which takes Redis tens of milliseconds when a million wait; to remove
        many, `clean` or `drain`.
        """
        if not may_be_job(job_id):
            return False
        word = await self._patiently(lambda: self._scripts.remove(job_id))
        if word == "locked":
            raise QueueError(f"job {job_id} is running; it cannot be removed now")
        return word == "ok"

    async def retry(self, job_id: str, *, fresh: bool = True) -> None:
        """Run a failed job again; `fresh` gives it all its attempts again. QueueError when it is not failed."""
        word = (await self._requeue(self.keys.failed, [job_id], fresh=fresh))[0]
        if word == "missing":
            raise JobNotFound(job_id=job_id)
        if word != "ok":
            raise QueueError(f"job {job_id} is not failed; only failed jobs can be retried")

    async def retry_all(self, state: Finished = "failed", *, limit: int | None = None, fresh: bool = True) -> int:
        """Run all failed (or completed) jobs again, the oldest first, at most `limit`; returns how many.

        Those that end while this goes on are left; it works in chunks, so that workers go on meanwhile.
        """
        if state not in ("failed", "completed"):
            raise QueueError(f"only failed and completed jobs can be retried, not {state} ones")
        source = getattr(self.keys, state)
        until = await self._now_ms()

        async def oldest(start: int, count: int) -> list[bytes]:
            command = ("ZRANGEBYSCORE", source, "-inf", until, "LIMIT", start, count)
            found: list[bytes] = await self._patiently(lambda: self._link.call(*command))
            return found

        return await _move(oldest, lambda ids: self._requeue(source, ids, fresh=fresh), limit)

    async def promote(self, job_id: str) -> None:
        """Let a delayed job wait for its turn now. QueueError when it is not delayed."""
        word = (await self._promote([job_id]))[0]
        if word == "missing":
            raise JobNotFound(job_id=job_id)
        if word != "ok":
            raise QueueError(f"job {job_id} is not delayed; only delayed jobs can be promoted")

    async def promote_all(self, *, limit: int | None = None) -> int:
        """Let all delayed jobs wait now, the earliest first, at most `limit`; returns how many."""
        most = await self._patiently(lambda: self._link.call("ZCARD", self.keys.delayed))

        async def earliest(start: int, count: int) -> list[bytes]:
            command = ("ZRANGE", self.keys.delayed, start, start + count - 1)
            found: list[bytes] = await self._patiently(lambda: self._link.call(*command))
            return found

        return await _move(earliest, self._promote, most if limit is None else min(limit, most))

    async def _requeue(self, source: str, ids: Sequence[str], *, fresh: bool) -> list[Moved]:
        if not all(map(may_be_job, ids)):
            return ["missing"] * len(ids)
        return await self._patiently(lambda: self._scripts.requeue(source, ids, self.id, fresh=fresh))

    async def _promote(self, ids: Sequence[str]) -> list[Moved]:
        if not all(map(may_be_job, ids)):
            return ["missing"] * len(ids)
        return await self._patiently(lambda: self._scripts.promote_one(ids, self.id))

    async def _now_ms(self) -> int:
        seconds, micros = await self._patiently(lambda: self._link.call("TIME"))
        return int(seconds) * 1000 + int(micros) // 1000


async def _move(
    read: Callable[[int, int], Awaitable[list[bytes]]],
    move: Callable[[Sequence[str]], Awaitable[list[Moved]]],
    limit: int | None,
) -> int:
    """Move what `read` gives in chunks until there is nothing more, past those that stay where they are."""
    moved = stay = 0
    while limit is None or moved < limit:
        chunk = MOVE_CHUNK if limit is None else min(MOVE_CHUNK, limit - moved)
        ids = await read(stay, chunk)
        if not ids:
            break
        words = await move([job_id.decode() for job_id in ids])
        moved += words.count("ok")
        stay += sum(word in ("missing", "locked") for word in words)  # what is elsewhere has moved by itself
    return moved
