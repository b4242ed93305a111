"""Connections to Redis that come back by themselves.

A `Link` is one connection shared by any number of callers: commands go out as they come, replies are matched in order.
When it breaks it is made again after min(50 ms * n, 2 s), for ever, and is ready only when Redis has loaded its data.
"""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from holdfast.errors import UnfitServer
from holdfast.queue.link.finding import Finder
from holdfast.queue.link.wire import Argument, Direct, Interrupted, Wire, pack
from holdfast.queue.reporting import Reporter

RETRY_STEP = 0.05
RETRY_CAP = 2.0
KNOWN_RETURNS = 1_000


def retry_delay(attempt: int) -> float:
    """Seconds before the n-th attempt to connect (1 = the first after a loss)."""
    return min(RETRY_STEP * attempt, RETRY_CAP)


_PASSING = re.compile(
    r"\b(OOM|READONLY|MISCONF|LOADING|BUSY|MASTERDOWN|NOREPLICAS)\b"
    # While a slot moves from node to node; in a script, some of its keys.
    r"|\b(MOVED|ASK|TRYAGAIN|CLUSTERDOWN) |non local key|cluster is down"
)


def will_pass(error: ResponseError) -> bool:
    """Whether Redis refused for the state it is in (no memory, a replica, a full disk), not for the command."""
    return isinstance(error, OutOfMemoryError | ReadOnlyError) or _PASSING.search(str(error)) is not None


class Link:
    """One shared connection that is made again for ever."""

    def __init__(self, url: str | Finder, *, reporter: Reporter, client_name: str | None = None) -> None:
        self._finder = Finder(url) if isinstance(url, str) else url
        self._client_name = client_name
        self._reporter = reporter
        self._wire: Wire | None = None
        self._up = asyncio.Event()
        self._came_back = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._was_up = False
        self._unfit: UnfitServer | None = None  # why the only server that was found cannot be used
        self.last_error = ""  # for messages
        self.reconnects = 0  # how often it came back; a caller may compare
        self.came_back_at: deque[float] = deque(maxlen=KNOWN_RETURNS)  # monotonic; the last ones
        self.away = 10.0  # seconds the last outage took; before the first connect nobody knows
        self.before_use: Callable[[], Awaitable[None]] | None = None  # after each connect, before callers may send

    @property
    def is_up(self) -> bool:
        """Whether commands can be sent right now."""
        return self._wire is not None and not self._wire.closed.done()

    def start(self) -> None:
        """Begin to connect, in the background."""
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep(), name="holdfast link")

    async def close(self) -> None:
        """Drop the connection; those who wait for a reply get Interrupted."""
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
            self._keeping = None

    async def wait_up(self) -> None:
        """Wait until it is connected, for ever if need be."""
        await self._usable()

    async def wait_reconnected(self, seen: int) -> None:
        """Wait until it has come back more often than `seen`."""
        while self.reconnects <= seen:
            self._came_back.clear()
            await self._came_back.wait()

    async def call(self, *command: Argument) -> Any:
        """Send a command as soon as there is a connection, return its reply (bytes, ints, lists).

        Interrupted when it breaks before the reply has come; ResponseError when Redis refuses the command; BadJob when
        it cannot be sent at all.
        """
        packed = pack(*command)
        wire = self._wire
        if wire is None or wire.closed.done():
            wire = await self._usable()
        try:
            return await wire.send(packed)
        except (AuthenticationError, BusyLoadingError) as error:
            raise Interrupted(f"Redis is not ready for us any more: {error}") from error

    async def _usable(self) -> Wire:
        wire = self._wire
        while wire is None or wire.closed.done():
            if wire is not None:  # broken, and its keeper has not had its turn yet
                self._wire = None
                self._up.clear()
            self.start()
            await self._up.wait()
            if self._unfit is not None:
                raise self._unfit
            wire = self._wire
        return wire

    def call_now(self, then: Callable[[Any, Exception | None], None], *command: Argument) -> bool:
        """Send a command if there is a connection now; `then` gets the reply or the error the moment it comes.

        False, and nothing is sent, when there is none.
        """
        wire = self._wire
        if wire is None or wire.closed.done():
            return False
        wire.send_to(Direct(then), pack(*command))
        return True

    async def _keep(self) -> None:
        attempt, lost_at = 0, 0.0
        while True:
            try:
                wire = await self._finder.connect(client_name=self._client_name)
            except (RedisError, OSError, TimeoutError, Interrupted, UnfitServer) as error:
                attempt += 1
                self._tell_if_unfit(error)
                lost_at = lost_at or monotonic()
                self.last_error = f"{type(error).__name__}: {error}".removesuffix(": ")
                delay = retry_delay(attempt)
                self._report_retry(attempt, delay, error)
                await asyncio.sleep(delay)
                continue
            if lost_at:
                self.away = monotonic() - lost_at
            await self._prepare(wire)
            if lost_at:
                self.reconnects += 1
                self.came_back_at.append(monotonic())
                self._came_back.set()
                self._reporter.info("redis reconnected", after=round(monotonic() - lost_at, 3))
            await self._serve(wire)
            lost_at, attempt = monotonic(), 0

    async def _prepare(self, wire: Wire) -> None:
        if self.before_use is not None:
            try:
                await self.before_use()
            except BaseException:
                wire.close()
                raise

    def _tell_if_unfit(self, error: BaseException) -> None:
        """Nobody waits for a server that never was of use; one that was may be set right again."""
        if isinstance(error, UnfitServer):
            self._reporter.warning("redis unfit", reason=str(error))
            if not self._was_up:
                self._unfit = error
                self._up.set()

    def _report_retry(self, attempt: int, delay: float, error: BaseException) -> None:
        # At the cap a line every two seconds would say nothing new for hours.
        if attempt <= 10 or attempt % 30 == 0 or isinstance(error, AuthenticationError):
            loading = isinstance(error, BusyLoadingError)
            self._reporter.warning("retrying connection", attempt=attempt, delay=round(delay, 2), loading=loading)

    async def _serve(self, wire: Wire) -> None:
        """Let callers use the connection until it breaks."""
        self._wire = wire
        self._was_up, self._unfit = True, None
        self._up.set()
        try:
            await asyncio.shield(wire.closed)
            self._reporter.warning("redis connection lost")
        finally:
            self._wire = None
            self._up.clear()
            wire.close()
