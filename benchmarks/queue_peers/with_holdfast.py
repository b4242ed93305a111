"""Ours."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from protocol import LOCK, QUEUE, URL, Data, main, run

from holdfast.queue import Job, NewJob, Queue, Worker

PRIORITY = {"priority": 5} if os.environ.get("PEER_PRIORITY") else {}
DURABLE = {"durable": True} if os.environ.get("PEER_DURABLE") else {}


class Adder:
    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def add(self, data: Data) -> object:
        return await self._queue.add("x", data, **PRIORITY, **DURABLE)

    async def add_many(self, many: Sequence[Data]) -> object:
        return await self._queue.add_many([NewJob("x", data, **PRIORITY) for data in many])


@asynccontextmanager
async def open_adder() -> AsyncIterator[Adder]:
    async with Queue(QUEUE, url=URL) as queue:
        yield Adder(queue)


async def process(job: Job) -> None:
    await run(job.data)


async def work(concurrency: int) -> None:
    async with Queue(QUEUE, url=URL) as queue:
        await Worker(queue, {"*": process}, concurrency=concurrency, lock_duration=LOCK or 30.0).run()


if __name__ == "__main__":
    main(open_adder, work)
