"""HTTP/1.1 on loopback with h11: whole answers, streams, and answers that are cut off, trickled or never sent."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

Delivery: TypeAlias = Literal["whole", "cut", "silent", "reset"]

MOST_BYTES = 256 << 20  # of one request: a batch file may be large
TRICKLES = 20  # pieces of a slow answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, whole."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    gone: asyncio.Event  # set when the client has left


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back, and how."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Sequence[bytes] | None = None  # a stream of events, instead of a body
    delivery: Delivery = "whole"  # cut: half of it, then the end of the connection; reset: not a byte, and RST
    seconds: float = 0.0  # over which the body trickles


Handler: TypeAlias = Callable[[Call], Awaitable[Answer]]


class Connection(asyncio.Protocol):
    """One client's connection: one request after the other."""

    def __init__(self, handle: Handler, tasks: set[asyncio.Task[None]]) -> None:
        self._handle = handle
        self._tasks = tasks
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=64 << 10)
        self._transport: asyncio.Transport | None = None
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._http.receive_data(data)
            self._read()
        except h11.RemoteProtocolError:
            self._close()

    def eof_received(self) -> None:
        self._gone.set()  # a client that has stopped writing waits for no answer; the transport closes itself

    def connection_lost(self, _error: Exception | None) -> None:
        self._gone.set()
        self._transport = None

    def _read(self) -> None:
        for event in self._events():
            if isinstance(event, h11.Request):
                self._request, self._body = event, bytearray()
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > MOST_BYTES:
                    return self._close()
            elif isinstance(event, h11.EndOfMessage):
                task = asyncio.get_running_loop().create_task(self._answer(self._call()))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                return self._close()
        return None

    def _events(self) -> Iterator[h11.Event]:
        while not isinstance(event := self._http.next_event(), type) and self._transport is not None:
            yield event

    def _call(self) -> Call:
        assert self._request is not None
        url = urlsplit(self._request.target.decode("ascii"))
        return Call(
            method=self._request.method.decode("ascii"),
            path=unquote(url.path),
            query=dict(parse_qsl(url.query)) if url.query else {},
            headers={name.decode("ascii"): value.decode("latin-1") for name, value in self._request.headers},
            body=bytes(self._body),
            gone=self._gone,
        )

    async def _answer(self, call: Call) -> None:
        answer = await self._handle(call)
        if answer.delivery == "silent":
            await self._gone.wait()
        if answer.delivery == "reset" and self._transport is not None:
            self._transport.abort()
        if self._transport is None or answer.delivery in {"silent", "reset"}:
            return self._close()
        await self._send(answer)
        if answer.delivery == "cut" or self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return self._close()
        self._http.start_next_cycle()
        return self.data_received(b"") if self._http.trailing_data[0] else None

    async def _send(self, answer: Answer) -> None:
        length = {} if answer.pieces is not None else {"content-length": str(len(answer.body))}
        headers = {"date": formatdate(usegmt=True), "content-type": answer.content_type, **length, **answer.headers}
        head = h11.Response(status_code=answer.status, headers=list(headers.items()))
        parts = _parts(answer)
        pause = answer.seconds / max(1, len(parts))
        if not pause and answer.delivery == "whole":
            whole = [head, *(h11.Data(data=part) for part in parts), h11.EndOfMessage()]
            return self._write(b"".join(self._http.send(event) or b"" for event in whole))
        self._write(self._http.send(head) or b"")
        for part in parts:
            await asyncio.sleep(pause)
            self._write(self._http.send(h11.Data(data=part)) or b"")
        if answer.delivery == "whole":
            self._write(self._http.send(h11.EndOfMessage()) or b"")
        return None

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _parts(answer: Answer) -> Sequence[bytes]:
    """The body as it is sent: whole, in trickles, or only its first half."""
    if answer.pieces is not None:
        pieces = answer.pieces
        return pieces[: len(pieces) // 2] if answer.delivery == "cut" else pieces
    body = answer.body[: len(answer.body) // 2] if answer.delivery == "cut" else answer.body
    if not answer.seconds:
        return [body] if body else []
    step = max(1, -(-len(body) // TRICKLES))
    return [body[start : start + step] for start in range(0, len(body), step)]
