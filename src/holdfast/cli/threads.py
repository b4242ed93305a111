"""The threads of a command, and how the process ends while one of them still computes: no thread can be stopped."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NoReturn, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 32  # as many as may wait at once; a stage that computes must not keep the servers from closing

_busy: set[Future[Any]] = set()


class Threads(ThreadPoolExecutor):
    """The event loop's default executor, which nobody waits for longer than they want to."""

    def __init__(self) -> None:
        super().__init__(THREADS, thread_name_prefix="holdfast")

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As any executor does; what has not ended is known."""
        future = super().submit(fn, *args, **kwargs)
        _busy.add(future)
        future.add_done_callback(_busy.discard)
        return future

    async def finish(self, *, within: float) -> None:
        """Wait for what runs, at most so many seconds."""
        if _busy:
            await asyncio.wait([asyncio.wrap_future(future) for future in list(_busy)], timeout=within)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more. `asyncio.run` would wait here for ever (tests/integration/cli/test_stopping.py)."""
        super().shutdown(wait=False, cancel_futures=True)


def leave(code: int) -> NoReturn:
    """End the process, also when a thread still computes."""
    if _busy:
        leave_now(code)
    sys.exit(code)


def leave_now(code: int) -> NoReturn:
    """End the process at once; what was written is out, and a terminal has its cursor back."""
    try:
        if sys.stdout.isatty():
            sys.stdout.write("\x1b[?25h")
        sys.stdout.flush()
        sys.stderr.flush()
        logging.shutdown()
    finally:
        os._exit(code)
