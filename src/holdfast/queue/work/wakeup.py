"""Listens on Bull's channels, so that an idle worker hears of work at once."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

import hiredis
from redis.exceptions import RedisError

from holdfast.errors import UnfitServer
from holdfast.queue.keys import Keys
from holdfast.queue.link.connection import retry_delay
from holdfast.queue.link.finding import Finder
from holdfast.queue.link.wire import Interrupted, pack
from holdfast.queue.reporting import Reporter

PING_INTERVAL = 5.0  # seconds


def due_ms(announced: bytes) -> float:
    """The time (ms) that a message on Bull's `delayed` channel names; 0, which is "look now", when it names none."""
    try:
        due = float(announced)
    except ValueError:  # anybody may publish anything
        return 0.0
    return due if math.isfinite(due) else 0.0


class Listener:
    """Calls `on_work` when there may be a job to take, `on_delayed` with the due time (ms) of a delayed one,
    `on_cancel` with the id of a running job that was cancelled.

    Messages are lost while the connection is: the worker polls as well. Its connection carries the name by which
    Bull's getWorkers finds workers.
    """

    def __init__(
        self,
        finder: Finder,
        keys: Keys,
        reporter: Reporter,
        *,
        on_work: Callable[[], None],
        on_delayed: Callable[[float], None],
        on_cancel: Callable[[str], None],
    ) -> None:
        self._finder = finder
        self._keys = keys
        self._reporter = reporter
        self._on_work = on_work
        self._on_delayed = on_delayed
        self._on_cancel = on_cancel
        self._delayed = keys.delayed.encode()
        self._cancel = keys.cancel.encode()
        self._unconfirmed = 0  # subscriptions that Redis has not confirmed yet
        self._heard = False  # anything, since it was asked last
        self._refusal = ""
        self.listening = asyncio.Event()  # set while it hears

    async def run(self) -> None:
        """Listen until cancelled."""
        attempt = 0
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError, Interrupted, UnfitServer):
                attempt += 1
            else:
                attempt = 1  # those who heard until now start to count again
            self.listening.clear()
            await asyncio.sleep(retry_delay(attempt))

    async def _listen(self) -> None:
        wire = await self._finder.connect(client_name=self._keys.client_name)
        self._unconfirmed = len(self._keys.wake_channels()) + 1
        try:
            wire.subscribe(
                pack("PSUBSCRIBE", self._keys.wake_pattern()) + pack("SUBSCRIBE", *self._keys.wake_channels()),
                self._hear,
            )
            self._heard = True
            # A server that vanished is as silent as one that has nothing to say: it has to answer now and then.
            while self._heard and not wire.closed.done():
                self._heard = False
                wire.subscribe(pack("PING"), self._hear)
                await asyncio.wait([wire.closed], timeout=PING_INTERVAL)
        finally:
            wire.close()

    def _hear(self, message: Any) -> None:
        self._heard = True
        if isinstance(message, hiredis.ReplyError):
            self._refuse(str(message))
        elif isinstance(message, list):
            self._hear_message(message)

    def _refuse(self, text: str) -> None:
        if text != self._refusal:
            self._refusal = text
            self._reporter.warning("redis refused to announce work, it is looked for instead", error=text[:300])

    def _hear_message(self, message: list[Any]) -> None:
        if message[0] == b"pmessage":
            self._on_work()
        elif message[0] == b"message":
            if message[1] == self._delayed:
                self._on_delayed(due_ms(message[2]))
            elif message[1] == self._cancel:
                self._on_cancel(message[2].decode(errors="replace"))
            else:
                self._on_work()
        elif message[0] in (b"subscribe", b"psubscribe"):
            self._unconfirmed -= 1
            if self._unconfirmed == 0:
                self.listening.set()
                # What was announced while nobody listened.
                self._on_work()
                self._on_delayed(0)
