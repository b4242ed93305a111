"""Dramatiq: one process with so many threads."""

import logging
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from protocol import LOCK, URL, Data, main, run_sync

broker = RedisBroker(url=URL, **({"heartbeat_timeout": round(LOCK * 1000)} if LOCK else {}))
dramatiq.set_broker(broker)
logging.getLogger("dramatiq").setLevel(logging.ERROR)


@dramatiq.actor(actor_name="job")
def job(data: Data) -> None:
    run_sync(data)


class Adder:
    async def add(self, data: Data) -> object:
        return job.send(data)

    async def add_many(self, many: Sequence[Data]) -> object:
        return [job.send(data) for data in many]


@asynccontextmanager
async def open_adder() -> AsyncIterator[Adder]:
    yield Adder()


def work(concurrency: int) -> None:
    os.chdir(Path(__file__).parent)
    argv = [sys.executable, "-m", "dramatiq", "with_dramatiq:broker", "--processes", "1", "--threads", str(concurrency)]
    os.execv(sys.executable, argv)  # noqa: S606 - the command line is the documented way


if __name__ == "__main__":
    main(open_adder, work)
