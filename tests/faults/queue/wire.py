"""A way to Redis that can be cut, plugged, or made to swallow what goes one way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit

Way = Literal["requests", "replies"]


class Wire:
    """A TCP proxy on a loopback port of its own."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._given = url
        self._allowed: int | None = None
        self._swallowed: set[Way] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self._plugged = False
        self.cuts = 0
        self.url = ""

    def cut_replies_after(self, count: int) -> None:
        """From now on each new connection is cut after it has carried so many bytes of replies."""
        self._allowed = count

    def swallow(self, way: Way) -> None:
        """From now on nothing arrives that way, though the connections stay open."""
        self._swallowed.add(way)

    def cut(self) -> None:
        """Cut every connection now; new ones are carried in full."""
        self._swallowed.clear()
        for writer in self._open:
            writer.transport.abort()

    def plug(self) -> None:
        """Cut every connection and refuse new ones until `unplug`."""
        self._plugged = True
        self.cut()

    def unplug(self) -> None:
        """Carry connections again."""
        self._plugged = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, there_writer}
        if self._plugged:
            self.cut()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry("requests", reader, there_writer, None))
                group.create_task(self._carry("replies", there_reader, writer, self._allowed))
        finally:
            self._open -= {writer, there_writer}
            writer.close()
            there_writer.close()

    async def _carry(
        self, way: Way, source: asyncio.StreamReader, target: asyncio.StreamWriter, left: int | None
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(65_536):
                if way in self._swallowed:
                    continue
                if left is not None and len(chunk) > left:
                    target.write(chunk[:left])
                    self.cuts += 1
                    break
                left = None if left is None else left - len(chunk)
                target.write(chunk)
        target.close()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator["Wire"]:
        """Listens inside the `async with`; `url` leads through it."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = self._given.replace(f":{self._target[1]}", f":{port}")
        try:
            yield self
        finally:
            server.close()
            self.plug()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await server.wait_closed()
