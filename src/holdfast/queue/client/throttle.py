"""The pace at which something is called that all workers share, and a breaker for when it is not well."""

from typing import Any

import orjson

from holdfast.errors import QueueError
from holdfast.queue.client.queue import Queue
from holdfast.queue.scripts import CallOutcome, Pace

BURST = 1.0  # seconds a bucket may be used ahead
MINUTE_MS = 60_000
BUSY = 5.0  # seconds without anybody after a "too many" that said no time


class Throttle:
    """So many requests and tokens a minute, by all who use this name on this queue's Redis, and a circuit breaker.

    Any stretch of 60 s stays within the limits, burst included; a steady load reaches 98 % of them. After
    `failures_to_open` failures in a row nobody comes in for `open_for` seconds, then one at a time tries whether it is
    well again. Raises QueueUnavailable when Redis is away. The state is gone when Redis loses it: then the limits begin
    anew.
    """

    def __init__(
        self,
        queue: Queue,
        name: str,
        *,
        requests_per_minute: float | None,
        tokens_per_minute: float | None,
        failures_to_open: int = 5,
        open_for: float = 30.0,
    ) -> None:
        self._queue = queue
        self.name = name
        self._pace = Pace(
            request_ms=_each_ms(requests_per_minute),
            token_ms=_each_ms(tokens_per_minute),
            burst_ms=round(BURST * 1000),
            failures=failures_to_open,
            open_ms=round(open_for * 1000),
        )

    async def enter(self, tokens: int) -> float:
        """0.0: go, and `leave` afterwards. Else so many seconds to wait before asking again, at most a minute.

        Each caller is told a time of its own, so that those who wait do not all come back in the same moment. It keeps
        no place free: who comes first when there is room goes.
        """
        return await self._queue.throttle_enter(self.name, self._pace, tokens=tokens) / 1000

    async def leave(self, *, outcome: CallOutcome, reserved: int, used: int, retry_after: float | None) -> None:
        """Say how the call went: ok | busy (too many; nobody comes in for `retry_after` s) | failed | unused."""
        close_ms = round((BUSY if retry_after is None else retry_after) * 1000)
        refund = reserved - used
        await self._queue.throttle_leave(self.name, self._pace, outcome=outcome, refund=refund, close_ms=close_ms)

    async def look(self) -> dict[str, float]:
        """The state as kept: requests, tokens, closed, open, probe, line (ms since 1970), failures; empty: not used."""
        found = await self._queue.throttle_state(self.name)
        state: dict[str, Any] = orjson.loads(found) if found else {}
        return state


def _each_ms(per_minute: float | None) -> float:
    """Milliseconds one takes, so that a minute and a burst before it stay within the limit."""
    if per_minute is None:
        return 0.0
    if per_minute <= 0:
        raise QueueError(f"a limit per minute is above 0, not {per_minute!r}")
    return (MINUTE_MS + BURST * 1000) / per_minute
