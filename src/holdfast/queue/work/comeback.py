"""What a worker does when Redis is back: it makes sure of the jobs it runs, and lets the others do the same, before it
takes new ones.

A Redis that was killed may come back a second older than it was, one that failed over as old as its replica was. It
believes then that jobs wait which somebody runs (tests/faults/queue/test_redis_rewound.py).
"""

import asyncio

from redis.exceptions import ResponseError

from holdfast.queue.keys import Keys
from holdfast.queue.link.connection import Link
from holdfast.queue.link.wire import Interrupted
from holdfast.queue.work.housekeeping import QUIET_AFTER_OUTAGE
from holdfast.queue.work.locks import LockKeeper
from holdfast.queue.work.taking import TakeLoop

MAY_BE_OLDER = 3  # seconds; an AOF that is synced every second may lose two, and a worker is present for longer
LOOK_INTERVAL = 0.1  # seconds between two looks whether the others are back


class Comeback:
    """Holds the taking off between the return of Redis and that of the workers it knew."""

    def __init__(self, link: Link, keys: Keys, locks: LockKeeper, taking: TakeLoop) -> None:
        self._link = link
        self._keys = keys
        self._locks = locks
        self._taking = taking
        self._restarted = asyncio.Event()

    async def before_use(self) -> None:
        """After each connect, before anything else is sent."""
        if await self._locks.confirm():
            self._taking.hold_off()
            self._restarted.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._restarted.wait()
            self._restarted.clear()
            try:
                async with asyncio.timeout(QUIET_AFTER_OUTAGE):
                    await self._others_are_back()
            except (TimeoutError, Interrupted, ResponseError):
                pass  # some are gone for good; or Redis is, and the next connect comes here again
            if not self._restarted.is_set():
                self._taking.go_on()

    async def _others_are_back(self) -> None:
        """Wait until each worker that was alive when Redis went has renewed its presence since."""
        missed = await self._alive_before()
        while missed:
            await asyncio.sleep(LOOK_INTERVAL)
            now = await self._presence()
            missed = {worker: until for worker, until in missed.items() if now.get(worker) == until}
        await asyncio.sleep(LOOK_INTERVAL)  # they claim their jobs right after it

    async def _alive_before(self) -> dict[bytes, bytes]:
        seconds, _ = await self._link.call("TIME")
        since_ms = (int(seconds) - self._link.away - MAY_BE_OLDER) * 1000
        return {worker: until for worker, until in (await self._presence()).items() if float(until) >= since_ms}

    async def _presence(self) -> dict[bytes, bytes]:
        """Worker ids, and until when they are alive (ms, Redis' clock)."""
        flat = await self._link.call("ZRANGE", self._keys.presence, 0, -1, "WITHSCORES")
        return dict(zip(flat[::2], flat[1::2], strict=True))
