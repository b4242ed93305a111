"""Celery with a pool of threads, acknowledging late as its docs advise for jobs that must not be lost."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from celery import Celery
from protocol import LOCK, URL, Data, main, run_sync

app = Celery("bench", broker=URL)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)
if LOCK:
    app.conf.broker_transport_options = {"visibility_timeout": LOCK}


@app.task(name="job")
def job(data: Data) -> None:
    run_sync(data)


class Adder:
    async def add(self, data: Data) -> object:
        return job.delay(data)

    async def add_many(self, many: Sequence[Data]) -> object:
        with app.producer_pool.acquire(block=True) as producer:
            return [job.apply_async((data,), producer=producer) for data in many]


@asynccontextmanager
async def open_adder() -> AsyncIterator[Adder]:
    yield Adder()


def work(concurrency: int) -> None:
    argv = ["worker", "--pool=threads", f"--concurrency={concurrency}", "--loglevel=ERROR"]
    app.worker_main([*argv, f"--hostname=w{os.getpid()}@bench"])


if __name__ == "__main__":
    main(open_adder, work)
