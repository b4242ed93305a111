"""The Redis that a drill plays on: one of its own, to be killed, or the user's, which it never kills."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from holdfast.embedded import PlainRedis, RedisServer
from holdfast.errors import NotConfigured
from holdfast.settings import Settings

Fsync: TypeAlias = Literal["always", "everysec", "no"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRedis:
    """In the drill's folder; no keeper keeps it up, because it has to stay away when it was killed."""

    server: RedisServer
    fsync: Fsync
    prefix: str  # of the queue's keys, as the user's settings have it

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def pid(self) -> int | None:
        return self.server.pid

    @property
    def told(self) -> str:
        """What it is, for a report."""
        return f"{self.server.version} of the drill's own, appendfsync {self.fsync}"

    def start(self) -> None:
        """Start it, on the folder it had."""
        self.server.start()
        with PlainRedis(self.url) as plain:
            plain.call("CONFIG", "SET", "appendfsync", self.fsync)

    def kill(self) -> None:
        """SIGKILL."""
        self.server.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirRedis:
    """The one of the user's settings; everything the drill does there has a prefix that nobody else uses."""

    url: str
    prefix: str

    @property
    def told(self) -> str:
        """What it is, for a report; without its password."""
        parts = urlsplit(self.url)
        return f"yours, at {parts.hostname or parts.path}{f':{parts.port}' if parts.port else ''}"

    def check(self) -> None:
        """Raises NotConfigured for a URL that is not one server's, Unavailable if that does not answer."""
        with PlainRedis(self.url) as plain:
            plain.call("PING")

    def forget(self) -> None:
        """Delete all that the drill has left there."""
        with PlainRedis(self.url) as plain:
            for key in plain.keys(f"{self.prefix}:*"):
                plain.call("DEL", key)


def their_redis(settings: Settings) -> TheirRedis:
    """The user's Redis under a prefix of the drill's own. Raises NotConfigured, Unavailable."""
    if settings.redis_url is None:
        raise NotConfigured(
            "there is no Redis of yours to play on: set REDIS_URL (or REDIS_HOST), or drop --on-my-redis"
        )
    theirs = TheirRedis(url=settings.redis_url, prefix=f"holdfast-drill-{token_hex(4)}")
    theirs.check()
    return theirs


@asynccontextmanager
async def open_redis(
    settings: Settings, folder: Path, *, fsync: Fsync, on_theirs: bool
) -> AsyncIterator[OwnRedis | TheirRedis]:
    """The Redis for the time of the block; nothing of the drill is left on it. Raises what `their_redis` does."""
    if on_theirs:
        theirs = await asyncio.to_thread(their_redis, settings)
        try:
            yield theirs
        finally:
            await asyncio.shield(asyncio.to_thread(theirs.forget))
        return
    own = OwnRedis(server=RedisServer(folder), fsync=fsync, prefix=settings.queue_prefix)
    async with running(own.start, own.server.stop):
        yield own


@asynccontextmanager
async def running(start: Callable[[], None], stop: Callable[[], None]) -> AsyncIterator[None]:
    """What `start` starts, in a thread: also stopped when the wait for it is cancelled."""
    starting = asyncio.ensure_future(asyncio.to_thread(start))
    try:
        await asyncio.shield(starting)
        yield
    finally:
        await asyncio.gather(starting, return_exceptions=True)
        await asyncio.shield(asyncio.to_thread(stop))
