"""A job as a worker or a reader sees it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, cast

import orjson

from holdfast.queue.jobs.durations import Seconds

# One HMGET each; what a worker needs least of is not fetched for each job.
TAKEN_FIELDS = ("name", "data", "opts", "attemptsMade", "stalledCounter", "progress", "processedOn")
READ_FIELDS = (*TAKEN_FIELDS, "timestamp", "returnvalue", "failedReason", "stacktrace", "finishedOn")
_NAME, _DATA, _OPTS, _ATTEMPTS, _STALLED, _PROGRESS, _PROCESSED = range(7)
_TIMESTAMP, _RETURNVALUE, _REASON, _TRACES, _FINISHED = range(7, 12)


class Reports(Protocol):
    """Where a running job writes its progress and its log."""

    async def progress(self, job_id: str, token: str, progress: bytes, *, back: bool) -> bool: ...

    async def log(self, job_id: str, token: str, line: str) -> None: ...


class Endings(Protocol):
    """Where a job's end is waited for."""

    async def result(self, job_id: str, *, timeout: Seconds | None = None) -> Any: ...  # noqa: ASYNC109


def _at(raw: bytes | None) -> datetime | None:
    return None if raw is None else datetime.fromtimestamp(int(float(raw)) / 1000, UTC)


def _json(raw: bytes | None) -> Any:
    return None if raw is None else orjson.loads(raw)


def _number(raw: bytes | None) -> int:
    """A count; 0 when it is absent or broken, because nothing a hash holds may stop a worker."""
    return int(raw) if raw is not None and raw.isdigit() else 0


def _options(raw: bytes | None) -> dict[str, Any]:
    try:
        decoded = _json(raw)
    except orjson.JSONDecodeError:
        decoded = None
    return decoded if isinstance(decoded, dict) else {}


def sendable(text: str) -> str:
    """Text that Redis and JSON can carry: lone surrogates are written out."""
    return text.encode("utf-8", "backslashreplace").decode()


class Job:
    """One job. Values are decoded when they are first asked for, so that a worker pays only for what is used.

    `token` is None unless the job was handed to a processor. `lock_lost` is set when another worker may own it.
    """

    __slots__ = (
        "_data",
        "_lock_lost",
        "_opts",
        "_progress",
        "_read",
        "_reports",
        "_row",
        "_stop",
        "id",
        "name",
        "token",
    )

    def __init__(
        self, job_id: str, row: Sequence[bytes | None], *, token: str | None, reports: Reports | Endings | None
    ) -> None:
        self.id = job_id
        self.name = (row[_NAME] or b"__default__").decode(errors="replace")
        self.token = token
        self._row = row  # in the order of TAKEN_FIELDS; a job that was read has READ_FIELDS
        self._read = token is None
        self._reports = reports  # a taken job's Reports, a read one's Endings
        self._data: Any = self  # self stands for "not decoded yet"
        self._opts: dict[str, Any] | None = None
        self._progress: Any = self
        self._lock_lost: asyncio.Event | None = None
        self._stop = ""  # "stop" | "cancelled" once the attempt is over

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.name}>"

    @property
    def data(self) -> Any:
        """The JSON value it was added with."""
        if self._data is self:
            self._data = _json(self._row[_DATA])
        return self._data

    @property
    def opts(self) -> dict[str, Any]:
        """Bull's options as they are on the wire, e.g. {"attempts": 3, "delay": 0, "timestamp": 1795513896471}."""
        if self._opts is None:
            self._opts = _options(self._row[_OPTS])
        return self._opts

    def option(self, name: str) -> Any:
        """One of Bull's options, None when it was not given; cheap when it was not."""
        raw = self._row[_OPTS]
        return self.opts.get(name) if raw is not None and name.encode() in raw else None

    @property
    def opts_on_wire(self) -> bytes:
        """The options as they are in the hash: as they hold the time of the add, no other job of this id has them."""
        return self._row[_OPTS] or b""

    @property
    def timestamp(self) -> datetime | None:
        """When it was added, by the producer's clock."""
        raw = self._row[_TIMESTAMP] if self._read else str(self.opts.get("timestamp", 0)).encode()
        return _at(raw)

    @property
    def attempts_made(self) -> int:
        """Attempts that failed so far; crashes of workers are not among them."""
        return _number(self._row[_ATTEMPTS])

    @property
    def failed_before(self) -> bool:
        """Whether an earlier attempt failed or its worker died."""
        return self._row[_ATTEMPTS] is not None or self._row[_STALLED] is not None

    @property
    def stalled_count(self) -> int:
        """How often it was taken over from a worker that was gone."""
        return _number(self._row[_STALLED])

    @property
    def resumed(self) -> bool:
        """Whether an earlier attempt had already begun it."""
        return self._row[_PROCESSED] is not None or self.failed_before

    @property
    def progress(self) -> Any:
        """What the last `update_progress` said; None before the first."""
        if self._progress is self:
            self._progress = _json(self._row[_PROGRESS])
        return self._progress

    @property
    def processed_on(self) -> datetime | None:
        """When it was last taken before this object was read."""
        return _at(self._row[_PROCESSED])

    @property
    def returnvalue(self) -> Any:
        """What the processor returned; None unless it was read after it completed."""
        return _json(self._row[_RETURNVALUE]) if self._read else None

    @property
    def failed_reason(self) -> str | None:
        """Why the last attempt failed; None unless one did."""
        raw = self._row[_REASON] if self._read else None
        return None if raw is None else raw.decode(errors="replace")

    @property
    def stacktrace(self) -> list[str]:
        """Traces of the failed attempts, newest last."""
        return (_json(self._row[_TRACES]) or []) if self._read else []

    @property
    def finished_on(self) -> datetime | None:
        """When it completed or failed for good."""
        return _at(self._row[_FINISHED]) if self._read else None

    @property
    def lock_lost(self) -> asyncio.Event:
        """Set, and the processor cancelled, when another worker may own the job."""
        if self._lock_lost is None:
            self._lock_lost = asyncio.Event()
        return self._lock_lost

    @property
    def cancelled(self) -> bool:
        """Whether somebody cancelled it: for a processor that cleans up, and for readers of a failed job."""
        return self._stop == "cancelled" or self.failed_reason == "cancelled"

    def should_stop(self) -> bool:
        """Whether the attempt is over while its processor still runs in a thread: cancelled, timed out, lost, released.

        Such a processor cannot be interrupted; what it returns is dropped. Long ones ask now and then, and return.
        """
        return self._stop != ""

    def stop(self, *, cancelled: bool = False) -> None:
        """The attempt is over; the worker says so."""
        self._stop = "cancelled" if cancelled else self._stop or "stop"

    async def update_progress(self, progress: Any, *, back: bool = False) -> None:
        """Note how far it is: a number or any JSON value. LockLost when the job is another's by now.

        A number below the one that is noted, as a second attempt begins with, changes nothing unless `back` is true.
        """
        if await self._held().progress(self.id, self.token or "", orjson.dumps(progress), back=back):
            self._progress = progress

    async def log(self, line: str) -> None:
        """Add a line to the job's log. LockLost when the job is another's by now."""
        await self._held().log(self.id, self.token or "", sendable(str(line)))

    async def result(self, *, timeout: Seconds | None = None) -> Any:  # noqa: ASYNC109 - it says which job
        """Wait until it has ended and return what its processor returned; errors as in `Queue.result`."""
        if self.token is not None or self._reports is None:
            raise RuntimeError(f"job {self.id} cannot wait for its own result; a job that was added or read can")
        return await cast("Endings", self._reports).result(self.id, timeout=timeout)

    def _held(self) -> Reports:
        if self.token is None or self._reports is None:
            raise RuntimeError(f"job {self.id} was read, not taken: only a processor's job can report")
        return cast("Reports", self._reports)
