"""The part of a queue that throttles stand on."""

from holdfast.queue.client.connected import Connected
from holdfast.queue.scripts import CallOutcome, Pace


class Throttling(Connected):
    """Enters and leaves throttles; use them through `Throttle`."""

    async def throttle_enter(self, name: str, pace: Pace, *, tokens: int) -> int:
        """Milliseconds to wait before asking again; 0 = granted."""
        return await self._patiently(lambda: self._scripts.throttle_enter(name, pace, tokens=tokens))

    async def throttle_leave(self, name: str, pace: Pace, *, outcome: CallOutcome, refund: int, close_ms: int) -> None:
        """Say how a call went. Not said again when the reply was lost: a refund must not count twice."""
        leaves = self._scripts.throttle_leave
        await self._patiently(
            lambda: leaves(name, pace, outcome=outcome, refund=refund, close_ms=close_ms), again=False
        )

    async def throttle_state(self, name: str) -> bytes | None:
        """What is kept of it."""
        found: bytes | None = await self._patiently(lambda: self._link.call("GET", self.keys.throttle(name)))
        return found
