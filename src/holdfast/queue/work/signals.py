"""SIGTERM and SIGINT ask the running workers to stop; afterwards the handlers are what they were."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_asked: list[Callable[[], None]] = []  # one for each running worker of this process
_before: dict[signal.Signals, Any] = {}


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on SIGTERM and SIGINT; does nothing outside the main thread, where Python allows no handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    if not _asked:
        for number in _SIGNALS:
            _before[number] = signal.getsignal(number)
            loop.add_signal_handler(number, _ask_all)
    _asked.append(stop)
    try:
        yield
    finally:
        _asked.remove(stop)
        if not _asked:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
                signal.signal(number, _before.pop(number) or signal.SIG_DFL)


def _ask_all() -> None:
    for stop in _asked:
        stop()
