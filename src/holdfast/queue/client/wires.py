"""New jobs as they go to Redis: checked, and as JSON."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import orjson

from holdfast.errors import BadJob
from holdfast.queue.jobs.debounce import NOT_HELD, Held
from holdfast.queue.jobs.job import Endings, Job
from holdfast.queue.jobs.options import OPTION_NAMES, JobOptions, NewJob
from holdfast.queue.keys import check_job_id

# Custom id or '', name, data, opts, timestamp (ms), delay (ms), priority, lifo '0' | '1'.
Wire: TypeAlias = tuple[str, str, bytes, bytes, int, int, int, str]


class Wires:
    """Turns new jobs into what the add script takes; the JSON of equal options is made once."""

    def __init__(self, defaults: JobOptions) -> None:
        self._defaults = defaults
        self._known: dict[tuple[Any, ...], tuple[bytes, int, int, str]] = {}
        self.carry: Callable[[NewJob], Mapping[str, Any]] | None = None  # more fields for a job's options

    def row(self, job: NewJob, now_ms: int) -> Wire:
        """The 8 values of a job; BadJob when it must not be added."""
        if job.job_id is not None:
            check_job_id(job.job_id)
        _check_name(job.name)
        data = _json(job.name, job.data)
        opts, delay_ms, priority, lifo = self._options(job)
        own = b"" if job.job_id is None else b',"jobId":' + orjson.dumps(job.job_id)
        if job.debounce is not None:
            own += b',"debounce":' + orjson.dumps(job.debounce.to_wire())
        if self.carry is not None:
            more = orjson.dumps(self.carry(job))[1:-1]
            own += b"," + more if more else b""
        opts = b'%b%b,"timestamp":%d}' % (opts, own, now_ms)
        return (job.job_id or "", job.name, data, opts, now_ms, delay_ms, priority, lifo)

    def repeated(self, name: str, data: Any, options: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
        """The data and the options of a repeatable's jobs; BadJob when they must not be added."""
        _check_name(name)
        wire = self._defaults.over(options).to_wire()
        del wire["delay"]
        return _json(name, data), wire

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


def _json(name: str, data: Any) -> bytes:
    try:
        return orjson.dumps(data)
    except TypeError as error:
        raise BadJob(f"the data of job {name!r} are no JSON value: {error}") from error


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name:
        raise BadJob("a job needs a name")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise BadJob(f"the name {name!r} is no text that can be sent: {error.reason}") from error


def held(job: NewJob) -> Held:
    """What the script that adds debounced jobs takes more of each."""
    return NOT_HELD if job.debounce is None else job.debounce.to_script()


def just_added(job_id: str, row: Wire, endings: Endings | None = None) -> Job:
    """The job that a row became."""
    _, name, data, opts, now_ms, *_ = row
    # In the order of READ_FIELDS; what has not happened yet is None.
    fields = (name.encode(), data, opts, None, None, None, None, b"%d" % now_ms, None, None, None, None)
    return Job(job_id, fields, token=None, reports=endings)
