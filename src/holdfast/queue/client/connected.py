"""What each part of a queue stands on: its keys, its connection, and a call that waits for Redis only so long."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

from redis.exceptions import ReadOnlyError, ResponseError

from holdfast.errors import QueueError, QueueUnavailable
from holdfast.queue.keys import Keys, check_queue_name
from holdfast.queue.link.connection import RETRY_STEP, Link, will_pass
from holdfast.queue.link.finding import Finder
from holdfast.queue.link.wire import Interrupted, Moving, NotHere
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Scripts

T = TypeVar("T")


class Connected:
    """A queue's name, keys and connection; every call waits at most `max_wait` seconds for Redis."""

    def __init__(self, name: str, *, url: str, prefix: str, max_wait: float) -> None:
        check_queue_name(name, what="name")
        check_queue_name(prefix, what="prefix")
        self.name = name
        self.prefix = prefix
        self.url = url
        self.keys = Keys(prefix, name)
        self.finder = Finder(url, base=self.keys.base)  # NotConfigured when the URL is none
        self.id = secrets.token_hex(8)  # the token of this producer in Bull's channels
        self.reporter = Reporter(queue=name)
        self._max_wait = max_wait
        self._link = Link(self.finder, reporter=self.reporter)
        self._scripts = Scripts(self._link, self.keys)

    async def __aenter__(self) -> Self:
        self._link.start()
        self.reporter.info("queue initialized", prefix=self.prefix)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; the next call opens it again."""
        await self._link.close()

    async def ping(self) -> None:
        """Return when Redis answers; QueueUnavailable when it does not."""
        await self._patiently(lambda: self._link.call("PING"))

    async def _patiently(self, call: Callable[[], Awaitable[T]], *, again: bool = True) -> T:
        """Call, wait at most `max_wait` for Redis; `again`: repeat it when the reply was lost."""
        refused: list[ResponseError] = []
        try:
            async with asyncio.timeout(self._max_wait):
                return await _until_done(call, refused, again=again)
        except TimeoutError:
            if refused:
                raise QueueUnavailable(f"Redis takes no writes now: {refused[-1]}") from refused[-1]
            cause = f" ({self._link.last_error})" if self._link.last_error and not self._link.is_up else ""
            raise QueueUnavailable(f"Redis did not answer within {self._max_wait:g} s{cause}") from None
        except ResponseError as error:
            if will_pass(error):
                raise QueueUnavailable(f"Redis takes no writes now: {error}") from error
            raise QueueError(f"Redis refused: {error}") from error


async def _until_done(call: Callable[[], Awaitable[T]], refused: list[ResponseError], *, again: bool) -> T:
    while True:
        try:
            return await call()
        except Interrupted:
            if not again:
                raise
        except (ReadOnlyError, NotHere, Moving) as error:
            # Nothing was done there; the link looks for the server that has the queue by now.
            refused.append(error)
            await asyncio.sleep(RETRY_STEP)
