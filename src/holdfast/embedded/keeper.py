"""A thread that keeps one server up: when it dies, it is started again on its port."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from holdfast.embedded.processes import STOP_LIMIT
from holdfast.errors import HoldfastError

log = structlog.get_logger(__name__)

WATCH = 0.05  # seconds between two looks at the process
STEADY = 10.0  # a server that lived this long has earned a quick first restart again


class Server(Protocol):
    """What RedisServer and PostgresServer have in common."""

    @property
    def url(self) -> str: ...
    @property
    def pid(self) -> int | None: ...
    @property
    def running(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


def restart_delay(failures: int) -> float:
    """Seconds to wait before the next start: none for the first, then 0.2, 0.4 … up to 2."""
    return min(failures * 0.2, 2.0)


class Keeper:
    """Starts its server, watches it until stop()."""

    def __init__(self, name: str, server: Server, *, restarted: Callable[[], None]) -> None:
        self.name = name
        self.server = server
        self._restarted = restarted
        self._stopping = threading.Event()
        self._inherits = False
        self._thread = threading.Thread(target=self._watch, name=f"keeper of {name}", daemon=True)

    def start(self) -> None:
        self.server.start()
        self._thread.start()

    def take_over(self) -> None:
        """Return at once: the server, which an owner left behind, is adopted or replaced as if it had just died."""
        self._inherits = True
        self._thread.start()

    def stop(self) -> None:
        """Stop watching, then the server, in bounded time; a start that is under way is cut short."""
        self.let_go()
        self.server.stop()

    def let_go(self) -> None:
        """Stop watching and leave the server as it is, for another owner; a start that is under way is cut short."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_LIMIT)
        if self._thread.is_alive():
            self.server.kill()
            self._thread.join()

    def _watch(self) -> None:
        failures, since = 0, time.monotonic()
        while not self._stopping.wait(WATCH):
            if self.server.running:
                continue
            if time.monotonic() - since > STEADY:
                failures = 0
            if self._stopping.wait(restart_delay(failures)):
                return
            failures += 1
            self._start_again(failures)
            since = time.monotonic()

    def _start_again(self, attempt: int) -> None:
        began = time.monotonic()
        if not self._inherits:
            log.warning(
                "embedded server died, starting it again", server=self.name, pid=self.server.pid, attempt=attempt
            )
        try:
            self.server.start()
            self._restarted()
        except (HoldfastError, OSError) as error:  # a full disk, a taken port: they may pass
            log.error("embedded server did not start", server=self.name, error=str(error), attempt=attempt)
            return
        log.info(
            "embedded server taken over" if self._inherits else "embedded server is back",
            server=self.name,
            pid=self.server.pid,
            seconds=round(time.monotonic() - began, 3),
        )
        self._inherits = False
