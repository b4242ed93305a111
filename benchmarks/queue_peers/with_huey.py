"""Huey: threads; it acknowledges nothing, so it has no take-over."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from huey import RedisHuey
from protocol import QUEUE, URL, Data, main, run_sync

huey = RedisHuey(QUEUE, url=URL, results=False)


@huey.task(name="job")
def job(data: Data) -> None:
    run_sync(data)


class Adder:
    async def add(self, data: Data) -> object:
        return job(data)

    async def add_many(self, many: Sequence[Data]) -> object:
        return [job(data) for data in many]


@asynccontextmanager
async def open_adder() -> AsyncIterator[Adder]:
    yield Adder()


def work(concurrency: int) -> None:
    huey.create_consumer(workers=concurrency, worker_type="thread", periodic=False).run()


if __name__ == "__main__":
    main(open_adder, work)
