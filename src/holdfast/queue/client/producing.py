"""The producer's side of a queue: add jobs."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from time import time
from typing import Any, Unpack

from holdfast.errors import BadJob
from holdfast.queue.client.reading import Reading
from holdfast.queue.client.syncing import Syncing
from holdfast.queue.client.wires import Wire, Wires, held, just_added
from holdfast.queue.jobs.job import Job
from holdfast.queue.jobs.options import AddFields, JobOptions, NewJob

ADD_CHUNK = 500  # jobs one script call adds
CHUNKS_UNDER_WAY = 2  # Redis adds one while the next is made ready


class Producing(Reading, Syncing):
    """Adds jobs."""

    def __init__(self, name: str, *, url: str, prefix: str, max_wait: float, defaults: JobOptions) -> None:
        super().__init__(name, url=url, prefix=prefix, max_wait=max_wait)
        self._wires = Wires(defaults)

    def carry(self, fields: Callable[[NewJob], Mapping[str, Any]] | None) -> None:
        """Put these fields into the options of each job that is added here from now on; Bull ignores unknown ones."""
        self._wires.carry = fields

    async def add(
        self,
        name: str,
        data: Any = None,
        *,
        job_id: str | None = None,
        durable: bool = False,
        replicas: int = 0,
        **options: Unpack[AddFields],
    ) -> Job:
        """Add a job and return it; the options are those of `JobOptions`, durations in seconds or as timedelta.

        If there is a job with this `job_id` already, in whatever state, nothing is added and that job is returned; the
        same goes for `debounce=Debounce(id=…)` while a job with that id is there.
        With `durable` it returns when the job would survive a power cut, which takes more than a second unless Redis
        runs with `appendfsync always`, and when `replicas` replicas have the job, too; NotDurable, and nothing is
        added, when Redis is not set up for it.
        BadJob: the id, an option or the data cannot be used. QueueUnavailable: Redis is away; with a `job_id` it is
        safe to try again, without one the message says whether the job may have been added.
        """
        jobs = [NewJob(name, data, job_id=job_id, **options)]
        return (await self.add_many(jobs, durable=durable, replicas=replicas))[0]

    async def add_many(self, jobs: Iterable[NewJob], *, durable: bool = False, replicas: int = 0) -> list[Job]:
        """Add jobs, in chunks of 500 that are added whole or not at all; returns them in the same order.

        All are checked before the first is added. `durable` and errors as in `add`; after QueueUnavailable other chunks
        may be there.
        """
        if replicas and not durable:
            raise BadJob("replicas are waited for by durable adds only: add durable=True")
        new = list(jobs)
        now_ms = round(time() * 1000)
        rows = [self._wires.row(job, now_ms) for job in new]
        if durable:
            return await self._durably(partial(self._send, new, rows), replicas)
        return await self._send(new, rows)

    async def _send(self, new: Sequence[NewJob], rows: Sequence[Wire]) -> list[Job]:
        added: list[Job] = []
        sending: deque[asyncio.Task[list[Job]]] = deque()
        try:
            for first in range(0, len(new), ADD_CHUNK):
                end = first + ADD_CHUNK
                sending.append(asyncio.create_task(self._add_chunk(new[first:end], rows[first:end])))
                if len(sending) == CHUNKS_UNDER_WAY:
                    added += await sending.popleft()
            while sending:
                added += await sending.popleft()
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
        return added

    async def _add_chunk(self, new: Sequence[NewJob], rows: Sequence[Wire]) -> list[Job]:
        if any(job.debounce is not None for job in new):
            rows_held = zip(rows, new, strict=True)
            args = [value for row, job in rows_held for value in (*row, *held(job))]
            add = self._scripts.add_debounced
        else:
            args = [value for row in rows for value in row]
            add = self._scripts.add
        # Adding again what may have been added is safe when each job has an id of its own.
        again = all(job.job_id is not None for job in new)
        ids, existing = await self._patiently(lambda: add(self.id, args), again=again)
        added = [just_added(job_id, row, self) for job_id, row in zip(ids, rows, strict=True)]
        for position, old in zip(existing, await self._read([ids[i] for i in existing]), strict=True):
            added[position] = old or added[position]
        return added
