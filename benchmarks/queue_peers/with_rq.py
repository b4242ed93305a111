"""RQ: a process for each job, as it runs by default; more than one at a time through its worker pool."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from protocol import LOCK, QUEUE, URL, Data, main, run_sync
from redis import Redis
from rq import Queue, Retry, Worker
from rq.worker_pool import WorkerPool


def job(data: Data) -> None:
    run_sync(data)


class Adder:
    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def add(self, data: Data) -> object:
        return self._queue.enqueue("with_rq.job", data, retry=Retry(max=3))

    async def add_many(self, many: Sequence[Data]) -> object:
        return self._queue.enqueue_many(
            [Queue.prepare_data("with_rq.job", args=(data,), retry=Retry(max=3)) for data in many]
        )


@asynccontextmanager
async def open_adder() -> AsyncIterator[Adder]:
    yield Adder(Queue(QUEUE, connection=Redis.from_url(URL)))


def work(concurrency: int) -> None:
    # A lock of RQ is the worker's time of its own, and the interval in which lost jobs are looked for.
    lock = {"job_monitoring_interval": LOCK, "maintenance_interval": LOCK} if LOCK else {}
    connection = Redis.from_url(URL)
    if concurrency == 1:
        Worker([QUEUE], connection=connection, **lock).work(logging_level="WARNING")
    else:
        WorkerPool([QUEUE], connection=connection, num_workers=concurrency).start(burst=False, logging_level="WARNING")


if __name__ == "__main__":
    main(open_adder, work)
