"""Open the embedded servers from an event loop: signals are heard meanwhile, and nothing that was started is left."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable

from holdfast.embedded import Servers


class _Opening:
    """Opens servers in a thread; whoever does not want them any more has them closed, whenever that is."""

    def __init__(self, opens: Callable[[], Servers]) -> None:
        self._opens = opens
        self._turn = threading.Lock()
        self._servers: Servers | None = None
        self._abandoned = False

    def run(self) -> Servers:
        servers = self._opens()
        with self._turn:
            self._servers = servers
            unwanted = self._abandoned
        if unwanted:
            servers.close()
        return servers

    def abandon(self) -> None:
        with self._turn:
            self._abandoned = True
            servers = self._servers
        if servers is not None:
            servers.close()


@contextlib.asynccontextmanager
async def opened(opens: Callable[[], Servers]) -> AsyncIterator[Servers]:
    """Servers for the time of the block.

    A cancel while they start is raised once they have started and are closed again; a second one at once, and the
    closing ends in its thread (which `asyncio.run` waits for).
    """
    opening = _Opening(opens)
    starting = asyncio.create_task(asyncio.to_thread(opening.run))
    try:
        servers = await asyncio.shield(starting)
        yield servers
    finally:
        closing = asyncio.create_task(asyncio.to_thread(opening.abandon))
        await asyncio.gather(asyncio.shield(starting), asyncio.shield(closing), return_exceptions=True)
