"""Connections to Redis that come back by themselves.

A `Link` is one connection shared by any number of callers: commands go out as they come, replies are matched in order.
When it breaks it is made again after min(50 ms * n, 2 s), for ever, and is ready only when Redis has loaded its data.
"""

import asyncio
import math
import re
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, TypeAlias, cast

import hiredis
import redis.asyncio
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from holdfast.errors import BadJob, NotConfigured, QueueUnavailable
from holdfast.queue.reporting import Reporter

Argument: TypeAlias = str | bytes | int | float

RETRY_STEP = 0.05
RETRY_CAP = 2.0
CONNECT_TIMEOUT = 2.0
SILENCE_LIMIT = 10.0  # a peer that owes a reply for so long is taken for dead


def retry_delay(attempt: int) -> float:
    """Seconds before the n-th attempt to connect (1 = the first after a loss)."""
    return min(RETRY_STEP * attempt, RETRY_CAP)


class Interrupted(QueueUnavailable):
    """The connection broke while a reply was awaited: what was sent may or may not have been done."""


_PASSING = re.compile(r"\b(OOM|READONLY|MISCONF|LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|NOREPLICAS)\b")


def will_pass(error: ResponseError) -> bool:
    """Whether Redis refused for the state it is in (no memory, a replica, a full disk), not for the command."""
    return isinstance(error, OutOfMemoryError | ReadOnlyError) or _PASSING.search(str(error)) is not None


def pack(*command: Argument) -> bytes:
    """A command as it goes over the wire; BadJob for what cannot go there: a lone surrogate, None, a truth value."""
    try:
        # The stub knows tuples of one only.
        return cast("bytes", hiredis.pack_command(cast("Any", command)))
    except (TypeError, ValueError) as error:
        raise BadJob(f"this cannot be sent to Redis: {error}") from error


def open_connection(url: str, client_name: str | None = None) -> AbstractConnection:
    """A connection of redis-py, not yet connected; it never retries by itself."""
    client = redis.asyncio.Redis.from_url(
        url,
        protocol=2,
        socket_timeout=None,
        socket_connect_timeout=CONNECT_TIMEOUT,
        socket_keepalive=True,
        health_check_interval=0,
        retry=Retry(NoBackoff(), 0),
        client_name=client_name,
    )
    connection: AbstractConnection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    return connection


def check_url(url: str) -> None:
    """Raise NotConfigured for what is no Redis URL; the message does not show it, because it may hold a password."""
    try:
        open_connection(url)
    except (ValueError, TypeError) as error:
        raise NotConfigured(f"no usable Redis URL: {error}") from None


async def connect(connection: AbstractConnection) -> None:
    """Connect and wait for Redis to be ready; RedisError or OSError when it is not (yet)."""
    async with asyncio.timeout(CONNECT_TIMEOUT * 2):
        await connection.connect()  # type: ignore[no-untyped-call]
        await connection.send_packed_command(pack("PING"), check_health=False)
        await connection.read_response(disable_decoding=True)  # LOADING raises


class Link:
    """One shared connection that is made again for ever."""

    def __init__(self, url: str, *, reporter: Reporter, client_name: str | None = None) -> None:
        self._url = url
        self._client_name = client_name
        self._reporter = reporter
        self._connection: AbstractConnection | None = None
        self._up = asyncio.Event()
        self._came_back = asyncio.Event()
        self._owed: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._keeping: asyncio.Task[None] | None = None
        self.last_error = ""  # the name of the last error, for messages
        self.reconnects = 0  # how often it came back; a caller may compare

    @property
    def is_up(self) -> bool:
        """Whether commands can be sent right now."""
        return self._connection is not None

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
        self.start()
        await self._up.wait()

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
        packed = pack(*command)  # before a reply is owed: what is never sent has none, and all others would be shifted
        connection = self._connection
        while connection is None or not connection.is_connected:
            if connection is not None:  # broken, and its reader has not noticed yet
                self._connection = None
                self._up.clear()
            self.start()
            await self._up.wait()
            connection = self._connection
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        # No await between these two: replies are matched by order.
        self._owed.append((reply, monotonic()))
        try:
            await connection.send_packed_command(packed, check_health=False)
        except RedisError:
            raise Interrupted("the connection to Redis broke while a command was sent") from None
        return await reply

    async def _keep(self) -> None:
        attempt, lost_at = 0, 0.0
        while True:
            connection = open_connection(self._url, self._client_name)
            try:
                await connect(connection)
            except (RedisError, OSError, TimeoutError) as error:
                await connection.disconnect(nowait=True)
                attempt += 1
                lost_at = lost_at or monotonic()
                self.last_error = type(error).__name__
                delay = retry_delay(attempt)
                self._report_retry(attempt, delay, error)
                await asyncio.sleep(delay)
                continue
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
            if lost_at:
                self.reconnects += 1
                self._came_back.set()
                self._reporter.info("redis reconnected", after=round(monotonic() - lost_at, 3))
            lost_at, attempt = await self._serve(connection), 0

    def _report_retry(self, attempt: int, delay: float, error: BaseException) -> None:
        # At the cap a line every two seconds would say nothing new for hours.
        if attempt <= 10 or attempt % 30 == 0 or isinstance(error, AuthenticationError):
            loading = isinstance(error, BusyLoadingError)
            self._reporter.warning("retrying connection", attempt=attempt, delay=round(delay, 2), loading=loading)

    async def _serve(self, connection: AbstractConnection) -> float:
        """Match replies to callers until the connection breaks; returns when that was."""
        self._connection = connection
        self._up.set()
        try:
            async with _watch_silence(connection, self._owed):
                await self._read(connection)
        except (RedisError, OSError, TimeoutError) as error:
            self._reporter.warning("redis connection lost", error=type(error).__name__)
            return monotonic()
        finally:
            self._connection = None
            self._up.clear()
            await connection.disconnect(nowait=True)
            while self._owed:
                reply, _ = self._owed.popleft()
                if not reply.done():
                    reply.set_exception(Interrupted("the connection to Redis broke before the reply came"))
                    reply.exception()  # whoever still waits sees it; nobody else needs to be told
        return monotonic()

    async def _read(self, connection: AbstractConnection) -> None:
        owed = self._owed
        while True:
            refused: ResponseError | None = None
            answer: Any = None
            try:
                answer = await connection.read_response(
                    disable_decoding=True, timeout=math.inf, disconnect_on_error=False
                )
            except ResponseError as error:
                refused = error
            reply, _ = owed.popleft()
            if not reply.done():
                if refused is None:
                    reply.set_result(answer)
                else:
                    reply.set_exception(refused)
            if refused is not None and "READONLY" in str(refused):
                raise refused  # a replica by now: the primary is elsewhere


@asynccontextmanager
async def _watch_silence(
    connection: AbstractConnection, owed: "deque[tuple[asyncio.Future[Any], float]]"
) -> AsyncIterator[None]:
    """Cut the connection when the oldest reply is overdue: a peer that vanished sends no FIN."""

    async def watch() -> None:
        while True:
            await asyncio.sleep(SILENCE_LIMIT / 4)
            if owed and monotonic() - owed[0][1] > SILENCE_LIMIT:
                await connection.disconnect(nowait=True)

    watching = asyncio.create_task(watch(), name="holdfast silence watch")
    try:
        yield
    finally:
        watching.cancel()
