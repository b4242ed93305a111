"""The watcher's side of a queue: events, results, logs."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from holdfast.errors import ResultTimeout
from holdfast.queue.client.connected import Connected
from holdfast.queue.client.events import EventKind, Events
from holdfast.queue.client.results import Results
from holdfast.queue.jobs.durations import Seconds
from holdfast.queue.link.connection import Link


class Following(Connected):
    """Tells what happens, and waits for what comes of it."""

    def __init__(self, name: str, *, url: str, prefix: str, max_wait: float) -> None:
        super().__init__(name, url=url, prefix=prefix, max_wait=max_wait)
        self._events: list[Events] = []
        self._results = Results(
            lambda ids: self._patiently(lambda: self._scripts.fates(ids)),
            lambda: self.events(kinds=("completed", "failed", "removed")),
        )

    async def close(self) -> None:
        """Close the connections; iterations over events end, who waits for a result gets QueueUnavailable."""
        await self._results.close()
        for events in self._events:
            await events.close()
        self._events.clear()
        await super().close()

    def events(self, *, after: str = "$", kinds: Collection[EventKind] | None = None) -> Events:
        """What happens in the queue, as an endless iterator: `async with queue.events() as events:`, `async for`.

        `after` is "$" (from now on), "0" (all that is kept: some 10,000 script calls, fewer when they did much) or the
        `id` of an event, to go on behind it. It reconnects by itself and misses nothing; if events were dropped before
        they were read, one of kind "gap" says so. Node's programs write nothing there: what they do is told by Bull's
        channels alone. QueueError: `after` or a kind is none.
        """
        self._events = [each for each in self._events if not each.is_closed]
        link = Link(self.finder, reporter=self.reporter)
        self._events.append(Events(link, self.keys.event_stream, after=after, kinds=kinds))
        return self._events[-1]

    async def tell_events(self, on: bool) -> None:
        """Switch the telling of events on (as it is at first) or off, for all who work on this queue.

        `result` still works while it is off, a little later. What was told is kept.
        """
        off = f"{self.keys.event_stream}:off"
        await self._patiently(lambda: self._link.call("DEL", off) if on else self._link.call("SET", off, 1))

    async def result(self, job_id: str, *, timeout: Seconds | None = None) -> Any:  # noqa: ASYNC109 - it says which job
        """Wait until a job has ended, and return what its processor returned.

        JobFailed: it failed for good. JobNotFound: it does not exist, or not any more; one that was removed when it
        ended (`remove_on_complete=True`) is remembered for an hour, under heavy load for half a minute. ResultTimeout
        (a TimeoutError) after `timeout` seconds. Redis being away is waited out.
        """
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        try:
            async with asyncio.timeout(seconds):
                return await self._results.wait(job_id)
        except TimeoutError:
            raise ResultTimeout(job_id=job_id, seconds=seconds or 0) from None

    async def logs(self, job_id: str, start: int = 0, end: int = -1) -> list[str]:
        """A job's log lines from position `start` to `end` inclusive, oldest first; -1 is the last one."""
        lines = await self._patiently(lambda: self._link.call("LRANGE", self.keys.logs(job_id), start, end))
        return [line.decode(errors="replace") for line in lines]
