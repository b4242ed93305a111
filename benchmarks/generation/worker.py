"""A worker of the service that counts its label units' SQL: python -m generation.worker, until stdin ends."""

import asyncio
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from time import perf_counter
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from holdfast.cli.logs import configure_logs
from holdfast.queue import Job, Queue
from holdfast.service import open_service
from holdfast.service.stages import LABEL
from holdfast.service.watching import Watch
from holdfast.settings import Settings

_OF_A_LABEL: ContextVar[bool] = ContextVar("of a label", default=False)  # what a label's tasks start inherits it


class CountingWatch(Watch):
    """Marks all that runs below an attempt at a label."""

    def around(self, queue: Queue) -> list[Callable[[Job], AbstractContextManager[None]]]:
        return [*super().around(queue), _marked]


@contextmanager
def _marked(job: Job) -> Iterator[None]:
    token = _OF_A_LABEL.set(job.name == LABEL)
    try:
        yield
    finally:
        _OF_A_LABEL.reset(token)


class Statements:
    """Statements, transactions and time of the marked."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.seconds = 0.0
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)
        event.listen(Engine, "commit", self._commit)

    def _before(self, connection: Any, *_: Any) -> None:
        connection.info["began"] = perf_counter()

    def _after(self, connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if _OF_A_LABEL.get():
            self.count["statements"] += 1
            self.count["transactions"] += connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
            self.count[" ".join(statement.split())[:60]] += 1
            self.seconds += perf_counter() - connection.info["began"]

    def _commit(self, connection: Any) -> None:
        if _OF_A_LABEL.get() and connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            self.count["transactions"] += 1


async def main() -> None:
    settings = Settings()
    configure_logs(settings)
    statements, stopping, loop = Statements(), asyncio.Event(), asyncio.get_running_loop()
    threading.Thread(target=_watch_stdin, args=(loop, stopping), daemon=True).start()
    async with open_service(settings) as opened:
        service = replace(opened, watch=CountingWatch(metrics=opened.watch.metrics, traces=opened.watch.traces))
        await service.run_worker(stopping)
    print(json.dumps({"sql_s": statements.seconds, "count": dict(statements.count)}), flush=True)


def _watch_stdin(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(stopping.set)


if __name__ == "__main__":
    asyncio.run(main())
