"""One open connection to Redis: commands out, replies back in their order, messages of a subscription to a callback.

An asyncio Protocol around hiredis: a reply costs no task switch and no stream buffer, which is what makes small batches
fast (docs/explanation/performance.md).
"""

import asyncio
import re
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol, TypeAlias, cast

import hiredis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,  # noqa: A004
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)

from holdfast.errors import BadJob, QueueUnavailable, UnfitServer
from holdfast.queue.link.endpoints import Endpoint

Argument: TypeAlias = str | bytes | int | float

CONNECT_TIMEOUT = 4.0
SILENCE_LIMIT = 10.0  # seconds; a peer that owes a reply for so long is taken for dead


class NotHere(ResponseError):
    """The slot of the queue is at another node of the cluster (now), or at none; nothing was done."""


class Moving(ResponseError):
    """The slot of the queue is on its way to another node of the cluster; nothing was done."""


_ERRORS: dict[str, type[ResponseError]] = {
    "ASK": Moving,
    "CLUSTERDOWN": NotHere,
    "MOVED": NotHere,
    "NOSCRIPT": NoScriptError,
    "OOM": OutOfMemoryError,
    "READONLY": ReadOnlyError,
    "TRYAGAIN": Moving,
}
_NOT_READY: dict[str, type[ConnectionError]] = {
    "LOADING": BusyLoadingError,
    "NOAUTH": AuthenticationError,
    "WRONGPASS": AuthenticationError,
}


class Interrupted(QueueUnavailable):
    """The connection broke while a reply was awaited: what was sent may or may not have been done."""


def pack(*command: Argument) -> bytes:
    """A command as it goes over the wire; BadJob for what cannot go there: a lone surrogate, None, a truth value."""
    try:
        # The stub knows tuples of one only.
        return cast("bytes", hiredis.pack_command(cast("Any", command)))
    except (TypeError, ValueError) as error:
        raise BadJob(f"this cannot be sent to Redis: {error}") from error


def _refusal(error: Exception) -> Exception:
    text = str(error)
    code = text.partition(" ")[0]
    return _ERRORS.get(code, _NOT_READY.get(code, ResponseError))(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a server says of itself when it is greeted."""

    version: tuple[int, ...]  # Redis' own; Valkey's, which begins after Redis 7.2
    mode: str  # standalone | cluster | sentinel
    role: str  # master | replica; a sentinel has none


class Receiver(Protocol):
    """What a reply is handed to: a future, or `Direct`."""

    def done(self) -> bool: ...

    def set_result(self, result: Any, /) -> None: ...

    def set_exception(self, exception: Any, /) -> None: ...


class Direct:
    """Hands a reply on the moment it comes; a future's waiter gets it a turn of the event loop later."""

    __slots__ = ("_then",)

    def __init__(self, then: Callable[[Any, Exception | None], None]) -> None:
        self._then = then

    def done(self) -> bool:
        """It waits for ever: nobody can cancel it."""
        return False

    def set_result(self, result: Any, /) -> None:
        """The reply has come."""
        self._then(result, None)

    def set_exception(self, exception: Exception, /) -> None:
        """Redis refused, or the connection broke."""
        self._then(None, exception)


class Wire(asyncio.Protocol):
    """An open connection; it is made once and never comes back."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._owed: deque[tuple[Receiver, float]] = deque()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._on_message: Callable[[Any], None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self.server = Server(version=(), mode="", role="")  # once it was greeted
        self.closed: asyncio.Future[None] = self._loop.create_future()

    def send(self, packed: bytes) -> "asyncio.Future[Any]":
        """Send a command; its reply (bytes, ints, lists) is the future's result, what Redis refused its error."""
        reply: asyncio.Future[Any] = self._loop.create_future()
        self.send_to(reply, packed)
        return reply

    def send_to(self, receiver: Receiver, packed: bytes) -> None:
        """Send a command; its reply is handed to the receiver."""
        if self._transport is None:
            receiver.set_exception(Interrupted("the connection to Redis broke before the command was sent"))
            return
        # What is sent while a reply is awaited goes out together at the end of this turn of the loop.
        if not self._owed:
            self._transport.write(packed)
        else:
            if not self._unsent:
                self._loop.call_soon(self._flush)
            self._unsent.append(packed)
        self._owed.append((receiver, monotonic()))

    def subscribe(self, packed: bytes, on_message: Callable[[Any], None]) -> None:
        """Send a subscription; from now on everything that comes goes to the callback."""
        self._on_message = on_message
        if self._transport is not None:
            self._transport.write(packed)

    def close(self) -> None:
        """Close at once; those who wait for a reply get Interrupted."""
        if self._transport is not None:
            self._transport.abort()
            self._end()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio says that the connection is there."""
        self._transport = cast("asyncio.Transport", transport)
        opened: socket.socket | None = transport.get_extra_info("socket")
        if opened is not None and opened.family != getattr(socket, "AF_UNIX", None):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._watch = self._loop.call_later(SILENCE_LIMIT / 4, self._watch_silence)

    def connection_lost(self, _error: Exception | None) -> None:
        """asyncio says that the connection is gone."""
        self._end()

    def data_received(self, data: bytes) -> None:
        """asyncio hands over what came."""
        reader, owed = self._reader, self._owed
        try:
            reader.feed(data)
            while (answer := reader.gets()) is not False:
                if self._on_message is not None:
                    self._on_message(answer)
                    continue
                reply, _ = owed.popleft()
                if isinstance(answer, hiredis.ReplyError):
                    self._refuse(reply, _refusal(answer))
                elif not reply.done():
                    reply.set_result(answer)
        except (hiredis.ProtocolError, IndexError):
            self.close()  # what talks there is no Redis, or not in step with us

    def _refuse(self, reply: Receiver, error: Exception) -> None:
        if not reply.done():
            reply.set_exception(error)
        if isinstance(error, ReadOnlyError | NotHere):
            self.close()  # a replica by now, or not the slot's node: what we look for is elsewhere

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self._transport is not None and unsent:
            self._transport.write(b"".join(unsent))

    def _watch_silence(self) -> None:
        """Cut the connection when the oldest reply is overdue: a peer that vanished sends no FIN."""
        if self._transport is None:
            return
        if self._owed and monotonic() - self._owed[0][1] > SILENCE_LIMIT:
            self.close()
        else:
            self._watch = self._loop.call_later(SILENCE_LIMIT / 4, self._watch_silence)

    def _end(self) -> None:
        self._transport = None
        if self._watch is not None:
            self._watch.cancel()
        # Before anybody is told: who hears of it must not try this connection again, and again.
        if not self.closed.done():
            self.closed.set_result(None)
        while self._owed:
            reply, _ = self._owed.popleft()
            if not reply.done():
                reply.set_exception(Interrupted("the connection to Redis broke before the reply came"))
                if isinstance(reply, asyncio.Future):
                    reply.exception()  # whoever still waits sees it; nobody else needs to be told


async def open_wire(endpoint: Endpoint, *, client_name: str | None = None) -> Wire:
    """Connect, say who we are, and wait for Redis to be ready.

    RedisError, OSError, TimeoutError or Interrupted when it is not (yet); UnfitServer when it is too old to greet.
    """
    async with asyncio.timeout(CONNECT_TIMEOUT):
        wire = await _connect(endpoint)
        try:
            wire.server = await _greet(wire, endpoint, client_name)
            if endpoint.db:
                await wire.send(pack("SELECT", endpoint.db))
            await wire.send(pack("PING"))  # LOADING raises
        except BaseException:
            wire.close()
            raise
    return wire


async def _greet(wire: Wire, endpoint: Endpoint, client_name: str | None) -> Server:
    """HELLO logs in, names the connection and tells who answers; every user of an ACL may say it."""
    login = () if endpoint.password is None else ("AUTH", endpoint.username or "default", endpoint.password)
    name = () if client_name is None else ("SETNAME", client_name)
    try:
        told = await wire.send(pack("HELLO", 2, *login, *name))
    except ResponseError as error:
        if "unknown command" in str(error).lower():
            message = "the server does not know HELLO; a queue needs Redis 6.2 or newer, or Valkey"
            raise UnfitServer(message, reason="too_old") from error
        raise
    about = dict(zip(told[::2], told[1::2], strict=True))
    numbers = re.findall(rb"\d+", about.get(b"version", b""))[:3]
    return Server(
        version=tuple(int(number) for number in numbers),
        mode=about.get(b"mode", b"standalone").decode(),
        role=about.get(b"role", b"").decode(),
    )


async def _connect(endpoint: Endpoint) -> Wire:
    loop = asyncio.get_running_loop()
    if endpoint.path is not None:
        _, wire = await loop.create_unix_connection(Wire, endpoint.path)
    else:
        _, wire = await loop.create_connection(Wire, endpoint.host, endpoint.port, ssl=endpoint.tls)
    return wire
