"""A worker of the service that counts its label units' SQL: python -m generation.worker, until stdin ends."""

import asyncio
import json
import sys
import threading
from collections import Counter
from time import perf_counter
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from holdfast.cli.logs import configure_logs
from holdfast.service import open_service
from holdfast.settings import Settings


class Statements:
    """Statements and transactions of label units, told from others by the name of their asyncio task."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.seconds = 0.0
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)
        event.listen(Engine, "commit", self._commit)

    def _before(self, *_: Any) -> None:
        task = asyncio.current_task()
        if task is not None:
            task.began = perf_counter()  # type: ignore[attr-defined] # one statement at a time in a task

    def _after(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        task = asyncio.current_task()
        if task is not None and "-label-" in task.get_name():
            self.count["statements"] += 1
            self.count[" ".join(statement.split())[:60]] += 1
            self.seconds += perf_counter() - task.began  # type: ignore[attr-defined]

    def _commit(self, *_: Any) -> None:
        task = asyncio.current_task()
        if task is not None and "-label-" in task.get_name():
            self.count["transactions"] += 1


async def main() -> None:
    settings = Settings()
    configure_logs(settings)
    statements, stopping, loop = Statements(), asyncio.Event(), asyncio.get_running_loop()
    threading.Thread(target=_watch_stdin, args=(loop, stopping), daemon=True).start()
    async with open_service(settings) as service:
        await service.run_worker(stopping)
    print(json.dumps({"sql_s": statements.seconds, "count": dict(statements.count)}), flush=True)


def _watch_stdin(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(stopping.set)


if __name__ == "__main__":
    asyncio.run(main())
