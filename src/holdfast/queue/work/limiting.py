"""Limits of a worker: so many jobs in a window of time, so many of a group at once; and fair turns between groups."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from redis.exceptions import ResponseError

from holdfast.errors import QueueError
from holdfast.queue.jobs.durations import Seconds, to_ms
from holdfast.queue.keys import Keys
from holdfast.queue.link.connection import Link
from holdfast.queue.link.wire import Interrupted
from holdfast.queue.scripts import Exchanged, Limits, Result, Row, Scripts, Word

MOST_OF_A_GROUP = 500
LINE_UP_CHUNK = 500
LINE_UPS = 4  # chunks sorted before a take while there is a backlog that nobody has sorted yet
TEND_INTERVAL = 5.0  # seconds between looks for what workers with limits left behind
LIMITING_TTL_MS = 15_000  # so long after the last of them has gone, what is in their lines goes back to wait
TEND_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """At most `max` jobs started in `per` seconds, by all workers that have the same limit, Node's included."""

    max: int
    per: Seconds  # seconds or a timedelta; the window begins with the first job and has a fixed length


def limits_of(rate: RateLimit | None, group_concurrency: int | None, group_rate: RateLimit | None) -> Limits:
    """What a worker was given, checked; QueueError when it makes no sense."""
    if group_concurrency is not None and not 1 <= group_concurrency <= MOST_OF_A_GROUP:
        raise QueueError(f"group_concurrency must be between 1 and {MOST_OF_A_GROUP}, not {group_concurrency!r}")
    return Limits(*_window(rate), group_concurrency or 0, *_window(group_rate))


def _window(rate: RateLimit | None) -> tuple[int, int]:
    if rate is None:
        return 0, 0
    per_ms = to_ms(rate.per, what="a rate limit's time")
    if rate.max < 1 or per_ms < 1:
        raise QueueError(f"a rate limit needs max of 1 or more in 1 ms or more, not {rate}")
    return rate.max, per_ms


class LimitedScripts(Scripts):
    """Scripts of a worker with limits: each take is limited, and `come_back` is called when another is worth while."""

    def __init__(self, link: Link, keys: Keys, limits: Limits) -> None:
        super().__init__(link, keys)
        self.come_back: Callable[[], None] = lambda: None
        self._limits = limits
        self._closed_until = 0.0  # monotonic; the window of the whole queue is used up until then
        self._unsorted = 0
        self._timer: asyncio.TimerHandle | None = None

    async def complete(
        self, results: Sequence[Result], *, limit: int, token: str, lock_ms: int
    ) -> tuple[list[Word], list[Row]]:
        """Write results, then take."""
        words, _ = await super().complete(results, limit=0, token=token, lock_ms=lock_ms)
        return words, await self.take(limit, token, lock_ms, announce=False) if limit > 0 else []

    def complete_now(self, results: Sequence[Result], take: tuple[int, str, int], then: Exchanged) -> bool:
        """Not with limits: what may be taken needs more than one call."""
        return False

    async def take(self, limit: int, token: str, lock_ms: int, *, announce: bool) -> list[Row]:
        """Take what the limits allow."""
        if (closed_for := self._closed_until - monotonic()) > 0:
            self._look_again(closed_for)
            return []
        # What failed is written by tasks that stand behind this one, and makes room in its group: let them go first.
        await asyncio.sleep(0)
        for _ in range(LINE_UPS if self._unsorted else 0):
            self._unsorted = await self.line_up(LINE_UP_CHUNK)
            if not self._unsorted:
                break
        rows, again, self._unsorted = await self.take_limited(limit, token, lock_ms, self._limits)
        if again is not None and not rows and not self._limits.of_groups:
            self._closed_until = monotonic() + again
        if self._unsorted and len(rows) < limit:
            again = 0.0
        if again is not None:
            self._look_again(again)
        return rows

    def close(self) -> None:
        """Come back no more."""
        if self._timer is not None:
            self._timer.cancel()
        self.come_back = lambda: None

    def _look_again(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._timer is not None and not self._timer.cancelled() and loop.time() < self._timer.when() <= at:
            return  # earlier anyway
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(at, lambda: self.come_back())  # noqa: PLW0108 - by then it may be another


class Tending:
    """What any worker does for those with limits and for cancelled jobs, every few seconds."""

    def __init__(self, scripts: Scripts, limits: Limits) -> None:
        self._scripts = scripts
        self._limits = limits

    async def run(self) -> None:
        """Tend until cancelled."""
        while True:
            try:
                if self._limits.of_groups:
                    await self._scripts.say_limiting(LIMITING_TTL_MS)
                if await self._scripts.anything_to_tend():
                    await self._scripts.sweep_cancels(TEND_CHUNK)
                    while await self._scripts.unpark(TEND_CHUNK):
                        pass
            except (Interrupted, ResponseError):
                pass  # the link reports it; the next look comes anyway
            await asyncio.sleep(TEND_INTERVAL)
