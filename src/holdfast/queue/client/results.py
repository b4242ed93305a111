"""Waits for what becomes of jobs: any number of waiters share one reader of the queue's events."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import orjson

from holdfast.errors import JobFailed, JobNotFound, QueueError, QueueUnavailable
from holdfast.queue.client.events import Events
from holdfast.queue.scripts import Fate

Look: TypeAlias = Callable[[Sequence[str]], Awaitable[list[Fate]]]

CHUNK = 500  # jobs looked at in one call
# Events tell of endings at once, but not of those by Node's workers, nor when they are switched off or Redis was away:
# so all waited for are looked at as well, soon after something happened and more and more seldom after that.
SOONEST, SELDOM, SLOWER = 0.1, 2.0, 1.5  # seconds, seconds, factor
LINGER = 5.0  # seconds the reader is kept for the next waiter


class Results:
    """Gives each waiter its job's end; reads only while somebody waits."""

    def __init__(self, look: Look, listen: Callable[[], Events]) -> None:
        self._look = look
        self._listen = listen
        self._waiting: dict[str, list[asyncio.Future[Any]]] = {}
        self._due: dict[str, None] = {}  # to be looked at now
        self._news = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    async def wait(self, job_id: str) -> Any:
        """What the job returned; JobFailed, JobNotFound. Waits for it, and for Redis, as long as it takes."""
        end: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(job_id, []).append(end)
        self._see(job_id)
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve(), name="holdfast results")
        try:
            return await end
        finally:
            self._forget(job_id, end)

    async def close(self) -> None:
        """Stop; those who wait get QueueUnavailable."""
        if self._serving is not None:
            self._serving.cancel()
            with suppress(asyncio.CancelledError):
                await self._serving
        for job_id in list(self._waiting):
            self._give_up(job_id, QueueUnavailable(f"the queue was closed before job {job_id} had a result"))

    def _see(self, job_id: str) -> None:
        self._due[job_id] = None
        self._news.set()

    def _forget(self, job_id: str, end: asyncio.Future[Any]) -> None:
        waiters = self._waiting.get(job_id, [])
        if end in waiters:
            waiters.remove(end)
        if not waiters:
            self._waiting.pop(job_id, None)

    async def _serve(self) -> None:
        hearing = asyncio.create_task(self._hear(), name="holdfast results' events")
        try:
            pause = SOONEST
            while self._waiting or await self._is_needed_again():
                if await self._any_news(pause):
                    pause = SOONEST
                    ids = list(self._due)[:CHUNK]
                else:
                    pause = min(pause * SLOWER, SELDOM)
                    ids = self._longest_unseen()
                await self._answer(ids)
        finally:
            self._serving = None  # before anything is awaited: whoever waits from here on starts anew
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    async def _hear(self) -> None:
        # Whatever is wrong with the events: the jobs are looked at anyway.
        with suppress(QueueError):
            async with self._listen() as events:
                async for event in events:
                    if event.job_id in self._waiting:
                        self._see(event.job_id)

    async def _is_needed_again(self) -> bool:
        await self._any_news(LINGER)
        self._due = {job_id: None for job_id in self._due if job_id in self._waiting}
        return bool(self._waiting)

    async def _any_news(self, within: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._news.wait()
        return self._news.is_set()

    def _longest_unseen(self) -> list[str]:
        ids = list(self._waiting)[:CHUNK]
        for job_id in ids:
            self._waiting[job_id] = self._waiting.pop(job_id)
        return ids

    async def _answer(self, ids: list[str]) -> None:
        """Look at jobs, and tell those who wait for them."""
        for job_id in ids:
            self._due.pop(job_id, None)
        if not self._due:
            self._news.clear()
        try:
            fates = await self._look(ids)
        except QueueUnavailable:
            return  # it has waited for Redis already; the next look comes
        except QueueError as error:
            for job_id in ids:
                self._give_up(job_id, QueueError(str(error)))
            return
        for job_id, fate in zip(ids, fates, strict=True):
            if fate.ending != "pending":
                self._tell(job_id, fate)

    def _tell(self, job_id: str, fate: Fate) -> None:
        for end in self._open_ends(job_id):
            _end(end, job_id, fate)

    def _give_up(self, job_id: str, error: QueueError) -> None:
        for end in self._open_ends(job_id):
            end.set_exception(error)

    def _open_ends(self, job_id: str) -> list[asyncio.Future[Any]]:
        return [end for end in self._waiting.pop(job_id, ()) if not end.done()]


def _end(end: asyncio.Future[Any], job_id: str, fate: Fate) -> None:
    """Give one waiter the end of its job; each gets an error of its own."""
    if fate.ending == "missing":
        end.set_exception(JobNotFound(job_id=job_id))
    elif fate.ending == "failed":
        end.set_exception(JobFailed(job_id=job_id, reason=fate.text.decode(errors="replace")))
    else:
        try:
            end.set_result(orjson.loads(fate.text))
        except orjson.JSONDecodeError:
            end.set_exception(QueueError(f"job {job_id} completed, but what it returned is no JSON value"))
