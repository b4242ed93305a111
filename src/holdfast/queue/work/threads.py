"""The threads of a worker's sync processors. Nobody can stop a thread: one that runs on keeps its place."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from holdfast.queue.reporting import Reporter


class Threads(ThreadPoolExecutor):
    """As many threads as the worker runs jobs; it takes no job for a thread that has not come back."""

    def __init__(self, count: int, reporter: Reporter) -> None:
        super().__init__(count, thread_name_prefix="holdfast processor")
        self._reporter = reporter
        self.left = 0  # threads that run on though their attempts are over
        self.on_back: Callable[[], None] = _nothing  # called in the loop when one of these has come back

    def leave(self, call: "Future[Any]", job_id: str) -> None:
        """The attempt is over, by its timeout, a lost lock or a stop; its thread may run on."""
        if call.done() or call.cancel():
            return
        self.left += 1
        self._reporter.warning("thread runs on", id=job_id, left=self.left)
        loop = asyncio.get_running_loop()

        def back(_call: "Future[Any]") -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody counts any more
                loop.call_soon_threadsafe(self._back)

        call.add_done_callback(back)

    def _back(self) -> None:
        self.left -= 1
        self.on_back()


def _nothing() -> None:
    pass
