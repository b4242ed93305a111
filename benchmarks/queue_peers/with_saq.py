"""SAQ, with the retries that make it take over a lost job."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from protocol import LOCK, QUEUE, URL, Data, at_once, main, run
from saq import Queue, Worker

TIMEOUT = round(LOCK) if LOCK else 10  # its default


async def job(_context: dict[str, Any], *, data: Data) -> None:
    await run(data)


class Adder:
    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def add(self, data: Data) -> object:
        return await self._queue.enqueue("job", data=data, retries=3, timeout=TIMEOUT)

    async def add_many(self, many: Sequence[Data]) -> object:
        return await at_once(self.add, many)


@asynccontextmanager
async def open_adder() -> AsyncIterator[Adder]:
    queue = Queue.from_url(URL, name=QUEUE)
    await queue.connect()
    yield Adder(queue)
    await queue.disconnect()


async def work(concurrency: int) -> None:
    queue = Queue.from_url(URL, name=QUEUE)
    await queue.connect()
    timers = {"timers": {"sweep": round(LOCK)}} if LOCK else {}
    await Worker(queue, [("job", job)], concurrency=concurrency, **timers).start()


if __name__ == "__main__":
    main(open_adder, work)
