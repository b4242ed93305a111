"""The queue that a command is about: where it is, and whether there is one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from holdfast.embedded import Servers, open_servers
from holdfast.errors import NotFound, QueueUnavailable
from holdfast.queue import Queue
from holdfast.settings import Settings

MAX_WAIT = 5.0  # seconds for Redis to answer


@asynccontextmanager
async def opened_queue(settings: Settings, *, url: str | None, prefix: str | None, name: str) -> AsyncIterator[Queue]:
    """The queue, seen to be there. Raises QueueUnavailable, and NotFound that names those there are."""
    async with (
        _redis_url(settings, url) as redis_url,
        Queue(name, url=redis_url, prefix=prefix or settings.queue_prefix, max_wait=MAX_WAIT) as queue,
    ):
        try:
            overview = await queue.overview()
        except QueueUnavailable as error:
            raise QueueUnavailable(f"{error}; it was looked for at {place(redis_url)}: see --url") from error
        if not overview.exists:
            raise NotFound(kind="queue", id=await _named(queue))
        yield queue


def place(url: str) -> str:
    """A Redis' address without its password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


async def _named(queue: Queue) -> str:
    there = await queue.neighbours()
    known = f"those with prefix {queue.prefix!r} are: {', '.join(there[:12])}" if there else "there is none"
    return f"{queue.name!r} in {place(queue.url)}; {known} (see --queue, --prefix, --url)"


@asynccontextmanager
async def _redis_url(settings: Settings, url: str | None) -> AsyncIterator[str]:
    given = url or settings.redis_url
    if given is not None:
        yield given
        return
    # The same servers as any other command would find or start, so that none is in another's way.
    opening = asyncio.ensure_future(
        asyncio.to_thread(open_servers, settings.home, redis=True, postgres=settings.database_url is None)
    )
    try:
        servers = await asyncio.shield(opening)
        yield servers.redis_url
    finally:
        if opening.done():
            await asyncio.shield(asyncio.to_thread(_close, opening))
        else:
            opening.add_done_callback(_close)


def _close(opening: "asyncio.Future[Servers]") -> None:
    if opening.exception() is None:
        opening.result().close()
