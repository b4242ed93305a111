"""arq."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from arq import ArqRedis, create_pool, func
from arq.connections import RedisSettings
from arq.worker import Worker
from protocol import LOCK, URL, Data, at_once, main, run


async def job(_context: dict[str, Any], data: Data) -> None:
    await run(data)


class Adder:
    def __init__(self, pool: ArqRedis) -> None:
        self._pool = pool

    async def add(self, data: Data) -> object:
        return await self._pool.enqueue_job("job", data)

    async def add_many(self, many: Sequence[Data]) -> object:
        return await at_once(self.add, many)


@asynccontextmanager
async def open_adder() -> AsyncIterator[Adder]:
    pool = await create_pool(RedisSettings.from_dsn(URL))
    yield Adder(pool)
    await pool.aclose()


async def work(concurrency: int) -> None:
    lock = {"job_timeout": LOCK} if LOCK else {}  # a lost job comes back 10 s after its time is up
    settings = RedisSettings.from_dsn(URL)
    worker = Worker([func(job, name="job")], redis_settings=settings, max_jobs=concurrency, log_results=False, **lock)
    await worker.async_run()


if __name__ == "__main__":
    main(open_adder, work)
