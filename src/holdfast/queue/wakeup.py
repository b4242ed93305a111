"""Listens on Bull's channels, so that an idle worker hears of work at once."""

import asyncio
import math
from collections.abc import Callable

from redis.exceptions import RedisError

from holdfast.queue.connection import connect, open_connection, pack, retry_delay
from holdfast.queue.keys import Keys


def due_ms(announced: bytes) -> float:
    """The time (ms) that a message on Bull's `delayed` channel names; 0, which is "look now", when it names none."""
    try:
        due = float(announced)
    except ValueError:  # anybody may publish anything
        return 0.0
    return due if math.isfinite(due) else 0.0


class Listener:
    """Calls `on_work` when there may be a job to take, `on_delayed` with the due time (ms) of a delayed one.

    Messages are lost while the connection is: the worker polls as well. Its connection carries the name by which
    Bull's getWorkers finds workers.
    """

    def __init__(
        self, url: str, keys: Keys, *, on_work: Callable[[], None], on_delayed: Callable[[float], None]
    ) -> None:
        self._url = url
        self._keys = keys
        self._on_work = on_work
        self._on_delayed = on_delayed
        self.listening = asyncio.Event()  # set while it hears

    async def run(self) -> None:
        """Listen until cancelled."""
        attempt = 0
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError):
                # Those who heard until now start to count again.
                attempt = 1 if self.listening.is_set() else attempt + 1
            self.listening.clear()
            await asyncio.sleep(retry_delay(attempt))

    async def _listen(self) -> None:
        connection = open_connection(self._url, self._keys.client_name)
        try:
            await connect(connection)
            patterns = self._keys.wake_patterns()
            await connection.send_packed_command(pack("PSUBSCRIBE", *patterns), check_health=False)
            for _ in patterns:
                await connection.read_response(disable_decoding=True, timeout=10)
            self.listening.set()
            # What was announced while nobody listened.
            self._on_work()
            self._on_delayed(0)
            delayed = self._keys.delayed.encode()
            while True:
                message = await connection.read_response(disable_decoding=True, timeout=math.inf)
                if message[2] == delayed:
                    self._on_delayed(due_ms(message[3]))
                else:
                    self._on_work()
        finally:
            await connection.disconnect(nowait=True)
