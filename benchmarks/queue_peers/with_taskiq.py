"""Taskiq on a Redis stream, its broker that acknowledges."""

import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from protocol import LOCK, URL, Data, at_once, main, run
from taskiq_redis import RedisStreamBroker

broker = RedisStreamBroker(
    URL, consumer_id="0", unacknowledged_lock_timeout=10, **({"idle_timeout": round(LOCK * 1000)} if LOCK else {})
)


@broker.task(task_name="job")
async def job(data: Data) -> None:
    await run(data)


class Adder:
    async def add(self, data: Data) -> object:
        return await job.kiq(data)

    async def add_many(self, many: Sequence[Data]) -> object:
        return await at_once(self.add, many)


@asynccontextmanager
async def open_adder() -> AsyncIterator[Adder]:
    await broker.startup()
    yield Adder()
    await broker.shutdown()


def work(concurrency: int) -> None:
    os.chdir(Path(__file__).parent)
    argv = ["worker", "with_taskiq:broker", "--workers", "1", "--max-async-tasks", str(concurrency)]
    argv = [sys.executable, "-m", "taskiq", *argv, "--log-level", "ERROR"]
    os.execv(sys.executable, argv)  # noqa: S606 - the command line is the documented way


if __name__ == "__main__":
    main(open_adder, work)
