"""Queue: what producers and readers do."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import time
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, TypeVar, Unpack, cast

import orjson
from redis.exceptions import ResponseError

from holdfast.errors import BadJob, JobNotFound, QueueError, QueueUnavailable
from holdfast.queue.connection import Argument, Interrupted, Link, check_url, will_pass
from holdfast.queue.job import READ_FIELDS, Job
from holdfast.queue.keys import Keys, check_job_id
from holdfast.queue.options import OPTION_NAMES, JobOptions, NewJob, OptionFields
from holdfast.queue.presence import LiveWorker
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Scripts

State: TypeAlias = Literal["wait", "active", "completed", "failed", "delayed", "paused"]
STATES: tuple[State, ...] = ("wait", "active", "completed", "failed", "delayed", "paused")

ADD_CHUNK = 500  # jobs one script call adds
READ_CHUNK = 500
PAUSE_CHUNK = 1_000

T = TypeVar("T")


class Queue:
    """A queue of jobs in Redis, on Bull 4's keys. Use it as `async with Queue("emails") as queue:`.

    Every call waits at most `max_wait` seconds for Redis and raises QueueUnavailable then.
    """

    def __init__(
        self,
        name: str,
        *,
        url: str = "redis://localhost:6379",
        prefix: str = "bull",
        defaults: JobOptions = JobOptions(),  # noqa: B008 - frozen
        max_wait: float = 5.0,
    ) -> None:
        if not name or not prefix:
            raise QueueError("a queue needs a name and a prefix")
        check_url(url)
        self.name = name
        self.prefix = prefix
        self.url = url
        self.keys = Keys(prefix, name)
        self.id = secrets.token_hex(8)  # the token of this producer in Bull's channels
        self.reporter = Reporter(queue=name)
        self._max_wait = max_wait
        self._link = Link(url, reporter=self.reporter)
        self._scripts = Scripts(self._link, self.keys)
        self._wires = Wires(defaults)

    async def __aenter__(self) -> Self:
        self._link.start()
        self.reporter.info("queue initialized", prefix=self.prefix)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; the next call opens it again."""
        await self._link.close()

    async def add(
        self, name: str, data: Any = None, *, job_id: str | None = None, **options: Unpack[OptionFields]
    ) -> Job:
        """Add a job and return it; the options are those of `JobOptions`, durations in seconds or as timedelta.

        If there is a job with this `job_id` already, in whatever state, nothing is added and that job is returned.
        BadJob: the id, an option or the data cannot be used. QueueUnavailable: Redis is away; with a `job_id` it is
        safe to try again, without one the message says whether the job may have been added.
        """
        return (await self.add_many([NewJob(name, data, job_id=job_id, **options)]))[0]

    async def add_many(self, jobs: Iterable[NewJob]) -> list[Job]:
        """Add jobs, in chunks of 500 that are added whole or not at all; returns them in the same order.

        All are checked before the first is added. Errors as in `add`; after QueueUnavailable earlier chunks are there.
        """
        new = list(jobs)
        now_ms = round(time() * 1000)
        rows = [self._wires.row(job, now_ms) for job in new]
        added: list[Job] = []
        for first in range(0, len(new), ADD_CHUNK):
            added += await self._add_chunk(new[first : first + ADD_CHUNK], rows[first : first + ADD_CHUNK])
        return added

    async def get(self, job_id: str) -> Job | None:
        """The job as it is now; None when there is none."""
        return (await self._read([job_id]))[0]

    async def jobs(self, state: State, start: int = 0, end: int = -1) -> list[Job]:
        """Jobs of one state, from position `start` to `end` inclusive (-1 = all): wait, paused and delayed in the order
        in which they will run, active oldest first, completed and failed newest first."""
        key = getattr(self.keys, state)
        if state in ("wait", "paused", "active"):
            stop = -1 - start
            begin = 0 if end < 0 else -1 - end
            ids = await self._patiently(lambda: self._link.call("LRANGE", key, begin, stop))
            ids.reverse()
        else:
            command = "ZRANGE" if state == "delayed" else "ZREVRANGE"
            ids = await self._patiently(lambda: self._link.call(command, key, start, end))
        found = await self._read([job_id.decode() for job_id in ids])
        return [job for job in found if job is not None]

    async def counts(self) -> dict[str, int]:
        """How many jobs are in each state, at one moment: wait, active, completed, failed, delayed, paused."""
        return dict(zip(STATES, await self._patiently(self._scripts.counts), strict=True))

    async def states(self, ids: Sequence[str]) -> dict[str, str | None]:
        """Where each job is: one of the six states, None when there is no such job, or 'orphan'.

        An orphan's data are there but it is in no list (Redis came back older than it was): `remove` it to add it
        again. In lists of more than 10,000 ids a job is not searched for; it counts as waiting.
        """
        found: dict[str, str | None] = {}
        for first in range(0, len(ids), READ_CHUNK):
            chunk = ids[first : first + READ_CHUNK]
            words = await self._patiently(lambda chunk=chunk: self._scripts.states(chunk))  # type: ignore[misc]
            found |= {job_id: word or None for job_id, word in zip(chunk, words, strict=True)}
        return found

    async def pause(self) -> None:
        """Let no worker take a job until `resume`; running ones go on."""
        while await self._patiently(lambda: self._scripts.pause("paused", PAUSE_CHUNK)) == "more":
            pass

    async def resume(self) -> None:
        """Let workers take jobs again."""
        while await self._patiently(lambda: self._scripts.pause("resumed", PAUSE_CHUNK)) == "more":
            pass

    async def remove(self, job_id: str) -> bool:
        """Remove a job and its log, whatever its state; False when it is not there. QueueError while it runs."""
        word = await self._patiently(lambda: self._scripts.remove(job_id))
        if word == "locked":
            raise QueueError(f"job {job_id} is running; it cannot be removed now")
        return word == "ok"

    async def retry(self, job_id: str, *, fresh: bool = True) -> None:
        """Run a failed job again; `fresh` gives it all its attempts again. QueueError when it is not failed."""
        word = await self._patiently(lambda: self._scripts.requeue(job_id, self.id, fresh=fresh))
        if word == "missing":
            raise JobNotFound(job_id=job_id)
        if word != "ok":
            raise QueueError(f"job {job_id} is not failed; only failed jobs can be retried")

    async def workers(self) -> list[LiveWorker]:
        """The workers that are alive by their presence keys."""
        seconds, micros = await self._patiently(lambda: self._link.call("TIME"))
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        ids = await self._patiently(lambda: self._link.call("ZRANGEBYSCORE", self.keys.presence, now_ms, "+inf"))
        if not ids:
            return []
        names = [f"{self.keys.presence}:{worker.decode()}" for worker in ids]
        abouts = await self._patiently(lambda: self._link.call("MGET", *names))
        return [LiveWorker.from_json(about) for about in abouts if about is not None]

    async def ping(self) -> None:
        """Return when Redis answers; QueueUnavailable when it does not."""
        await self._patiently(lambda: self._link.call("PING"))

    async def _add_chunk(self, new: Sequence[NewJob], rows: Sequence[tuple[Argument, ...]]) -> list[Job]:
        args = [value for row in rows for value in row]
        # Adding again what may have been added is safe when each job has an id of its own.
        again = all(job.job_id is not None for job in new)
        replies = await self._patiently(lambda: self._scripts.add(self.id, args), again=again)
        known = await self._read([job_id for job_id, is_new in replies if not is_new])
        old = {job.id: job for job in known if job is not None}
        return [old.get(job_id) or _just_added(job_id, row) for (job_id, _), row in zip(replies, rows, strict=True)]

    async def _read(self, ids: Sequence[str]) -> list[Job | None]:
        found: list[Job | None] = []
        for first in range(0, len(ids), READ_CHUNK):
            chunk = ids[first : first + READ_CHUNK]
            rows = await asyncio.gather(*(self._read_one(job_id) for job_id in chunk))
            found += [
                Job(job_id, row, token=None, reports=None) if any(value is not None for value in row) else None
                for job_id, row in zip(chunk, rows, strict=True)
            ]
        return found

    async def _read_one(self, job_id: str) -> list[bytes | None]:
        row = await self._patiently(lambda: self._link.call("HMGET", self.keys.job(job_id), *READ_FIELDS))
        return cast("list[bytes | None]", row)

    async def _patiently(self, call: Callable[[], Awaitable[T]], *, again: bool = True) -> T:
        """Call, wait at most `max_wait` for Redis; `again`: repeat it when the reply was lost."""
        try:
            async with asyncio.timeout(self._max_wait):
                while True:
                    try:
                        return await call()
                    except Interrupted:
                        if not again:
                            raise
        except TimeoutError:
            cause = f" ({self._link.last_error})" if self._link.last_error and not self._link.is_up else ""
            raise QueueUnavailable(f"Redis did not answer within {self._max_wait:g} s{cause}") from None
        except ResponseError as error:
            if will_pass(error):
                raise QueueUnavailable(f"Redis takes no writes now: {error}") from error
            raise QueueError(f"Redis refused: {error}") from error


class Wires:
    """Turns new jobs into what the add script takes; the JSON of equal options is made once."""

    def __init__(self, defaults: JobOptions) -> None:
        self._defaults = defaults
        self._known: dict[tuple[Any, ...], tuple[bytes, int, int, str]] = {}

    def row(self, job: NewJob, now_ms: int) -> tuple[Argument, ...]:
        """The 8 values of a job; BadJob when it must not be added."""
        if job.job_id is not None:
            check_job_id(job.job_id)
        _check_name(job.name)
        try:
            data = orjson.dumps(job.data)
        except TypeError as error:
            raise BadJob(f"the data of job {job.name!r} are no JSON value: {error}") from error
        opts, delay_ms, priority, lifo = self._options(job)
        own = b"" if job.job_id is None else b',"jobId":' + orjson.dumps(job.job_id)
        opts = b'%b%b,"timestamp":%d}' % (opts, own, now_ms)
        return (job.job_id or "", job.name, data, opts, now_ms, delay_ms, priority, lifo)

    def _options(self, job: NewJob) -> tuple[bytes, int, int, str]:
        values = job.option_values()
        try:
            known = self._known.get(values)
        except TypeError as error:
            raise BadJob(f"an option of job {job.name!r} has a wrong type") from error
        if known is None:
            options = self._defaults.over(dict(zip(OPTION_NAMES, values, strict=True)))
            wire = options.to_wire()
            known = (orjson.dumps(wire)[:-1], wire["delay"], options.priority, "1" if options.lifo else "0")
            if len(self._known) > 256:
                self._known.clear()
            self._known[values] = known
        return known


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name:
        raise BadJob("a job needs a name")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise BadJob(f"the name {name!r} is no text that can be sent: {error.reason}") from error


def _just_added(job_id: str, row: tuple[Argument, ...]) -> Job:
    _, name, data, opts, now_ms, *_ = row
    known: dict[str, Any] = {"name": str(name).encode(), "data": data, "opts": opts, "timestamp": str(now_ms).encode()}
    return Job(job_id, [known.get(field) for field in READ_FIELDS], token=None, reports=None)
