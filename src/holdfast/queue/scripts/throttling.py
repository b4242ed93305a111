"""The scripts of a throttle: leave to call what all workers share."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from holdfast.queue.scripts.loading import Caller

CallOutcome: TypeAlias = Literal["ok", "busy", "failed", "unused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A throttle's limits, as the scripts take them."""

    request_ms: float = 0.0  # that one request takes of its bucket; 0 = no limit
    token_ms: float = 0.0  # that one token takes; 0 = no limit
    burst_ms: int = 0  # how far a bucket may be used ahead
    failures: int = 5  # in a row that open the breaker
    open_ms: int = 30_000  # how long it stays open, and how long a probe is waited for
    ttl_ms: int = 3_600_000  # how long the state is kept when nobody calls


class ThrottleScripts(Caller):
    """Enters and leaves throttles."""

    async def throttle_enter(self, name: str, pace: Pace, *, tokens: int) -> int:
        """Milliseconds to wait before asking again; 0 = granted."""
        limits = (f"{pace.request_ms:.6f}", f"{pace.token_ms:.6f}", pace.burst_ms, tokens)
        args = (*limits, pace.failures, pace.open_ms, pace.ttl_ms)
        return cast("int", await self._run("throttle_enter", (self._keys.throttle(name),), args))

    async def throttle_leave(self, name: str, pace: Pace, *, outcome: CallOutcome, refund: int, close_ms: int) -> int:
        """Say how a call went, and how many of its tokens were not used; returns the failures in a row."""
        args = (outcome, f"{refund * pace.token_ms:.6f}", close_ms, pace.failures, pace.open_ms, pace.ttl_ms)
        return cast("int", await self._run("throttle_leave", (self._keys.throttle(name),), args))
