"""When a repeatable runs, and its keys, ids and options on Bull's wire. Nothing here talks to Redis."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import orjson

from holdfast.errors import BadJob
from holdfast.queue.jobs.cron import next_cron_ms
from holdfast.queue.jobs.durations import Seconds, to_ms
from holdfast.queue.jobs.options import OptionFields

Millis: TypeAlias = int  # since 1970


class RepeatFields(OptionFields, total=False):
    """What `Queue.repeat` takes as keywords: when (`cron` or `every`), how often, and the options of each job."""

    cron: str | None  # five fields, or six with seconds in front
    every: Seconds | None  # at multiples of it since 1970, as Bull has it
    tz: str | None  # of the cron expression, e.g. "Europe/Warsaw"; UTC when it is not given
    start_date: datetime | None  # not before
    end_date: datetime | None  # not after
    limit: int | None  # at most so many runs
    count: int | None  # of which so many have been
    immediately: bool | None  # the first run at once
    job_id: str | None  # tells two apart that have the same name and times


RULE_FIELDS = tuple(name for name in RepeatFields.__annotations__ if name not in OptionFields.__annotations__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When to run, and how often."""

    name: str
    cron: str | None = None
    every_ms: int | None = None
    tz: str | None = None
    start_ms: Millis | None = None
    end_ms: Millis | None = None
    limit: int | None = None
    job_id: str | None = None
    wire: Mapping[str, Any] = field(default_factory=dict)  # Bull's `repeat` object as it was found

    @property
    def key(self) -> str:
        """The member of Bull's `repeat`."""
        end = "" if self.end_ms is None else self.end_ms
        times = f"{self.tz or ''}:{self.cron}" if self.cron is not None else self.every_ms
        return f"{self.name}:{self.job_id or ''}:{end}:{times}"

    @property
    def stem(self) -> str:
        """The id of each job, without its time."""
        return stem_of(self.name, self.job_id, self.key)

    def next_ms(self, after_ms: Millis) -> Millis | None:
        """The first run after this time; None when there is none. Runs that were missed are not made up for."""
        if self.cron is not None:
            after_ms = after_ms if self.start_ms is None else max(after_ms, self.start_ms - 1)
            due = next_cron_ms(self.cron, self.tz, after_ms)
        else:
            every = self.every_ms or 0
            due = after_ms // every * every + every
            if self.start_ms is not None and due < self.start_ms:
                due = -(-self.start_ms // every) * every
        return None if due is None or (self.end_ms is not None and due > self.end_ms) else due

    def to_wire(self, count: int) -> dict[str, Any]:
        """Bull's `repeat` object of the `count`-th run."""
        own = {
            "cron": self.cron,
            "every": self.every_ms,
            "tz": self.tz,
            "startDate": self.start_ms,
            "endDate": self.end_ms,
            "limit": self.limit,
            "jobId": self.job_id,
        }
        wire = {"count": count, "key": self.key} | {name: value for name, value in own.items() if value is not None}
        return {**self.wire, "count": count} if self.wire else wire


def stem_of(name: str, job_id: str | None, key: str) -> str:
    """The id that the jobs of a repeatable have in common: `repeat:<md5>`."""
    return "repeat:" + _md5(f"{name}{job_id or ''}:{_md5(key)}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def rule_of(name: str, fields: Mapping[str, Any]) -> Rule:
    """The rule a caller asks for; BadJob when it makes no sense."""
    cron, every = fields.get("cron"), fields.get("every")
    if (cron is None) == (every is None):
        raise BadJob("a repeatable needs either cron or every")
    every_ms = None if every is None else to_ms(every, what="every")
    if every_ms is not None and every_ms < 1:
        raise BadJob("every must be a millisecond or more")
    if every_ms is not None and fields.get("tz"):
        raise BadJob("tz goes with cron: every counts from 1970, in no zone")
    if fields.get("delay"):
        raise BadJob("a repeatable has no delay: its times say when it runs; use start_date for the first")
    job_id = fields.get("job_id")
    if not isinstance(job_id, str | None) or job_id == "":
        raise BadJob(f"job_id is a str that is not empty, not {job_id!r}")
    return Rule(
        name=name,
        cron=cron,
        every_ms=every_ms,
        tz=fields.get("tz"),
        start_ms=_date_ms(fields, "start_date"),
        end_ms=_date_ms(fields, "end_date"),
        limit=_times(fields, "limit", least=1),
        job_id=job_id,
    )


def count_of(fields: Mapping[str, Any]) -> int:
    """How many runs there have been, as a caller says."""
    return _times(fields, "count", least=0) or 0


def _times(fields: Mapping[str, Any], name: str, *, least: int) -> int | None:
    value = fields.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
        raise BadJob(f"{name} is a whole number of {least} or more, not {value!r}")
    return value


def _date_ms(fields: Mapping[str, Any], name: str) -> Millis | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise BadJob(f"{name} is a datetime with a time zone, not {value!r}")
    return round(value.timestamp() * 1000)


def rule_on_wire(name: str, repeat: Mapping[str, Any]) -> Rule:
    """The rule of a job by its `repeat` object, which Node may have written; BadJob when it cannot be followed."""
    cron, every = repeat.get("cron"), repeat.get("every")
    every_ms = int(every) if isinstance(every, int | float) and math.isfinite(every) and every >= 1 else None
    if every_ms is None and not isinstance(cron, str):
        raise BadJob(f"the repeat options of {name!r} name neither cron nor every")
    limit, job_id, tz = repeat.get("limit"), repeat.get("jobId"), repeat.get("tz")
    return Rule(
        name=name,
        cron=None if every_ms is not None else cron,
        every_ms=every_ms,
        tz=tz if isinstance(tz, str) and tz else None,
        start_ms=_wire_date_ms(repeat.get("startDate")),
        end_ms=_wire_date_ms(repeat.get("endDate")),
        limit=int(limit) if isinstance(limit, int | float) else None,
        job_id=str(job_id) if job_id else None,
        wire=repeat,
    )


def _wire_date_ms(value: object) -> Millis | None:
    if isinstance(value, int | float) and math.isfinite(value):
        return int(value)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One job of a repeatable, as it goes to Redis."""

    key: str
    stem: str
    due_ms: Millis
    name: str
    data: bytes
    opts: Mapping[str, Any]

    @property
    def job_id(self) -> str:
        """Names its time: whoever adds the same run adds the same job."""
        return f"{self.stem}:{self.due_ms}"

    def opts_at(self, now_ms: Millis) -> tuple[bytes, int]:
        """Bull's options of the job when it is added now, and its delay in ms."""
        delay = max(0, self.due_ms - now_ms)
        own = {"jobId": self.job_id, "delay": delay, "timestamp": now_ms, "prevMillis": self.due_ms}
        return orjson.dumps({**self.opts, **own}), delay


def run_of(name: str, data: bytes, opts: bytes) -> Run:
    """The run that a job is, by its hash; BadJob when its options cannot be read."""
    try:
        options = orjson.loads(opts)
        repeat = options["repeat"]
        key, due_ms, job_id = str(repeat["key"]), int(options["prevMillis"]), str(options["jobId"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadJob(f"the options of a repeatable {name!r} cannot be read: {error!r}") from error
    return Run(key=key, stem=job_id.rpartition(":")[0], due_ms=due_ms, name=name, data=data, opts=options)


def following(run: Run, now_ms: Millis) -> Run | None:
    """The run after this one, never in the past; None when there is no more. BadJob when its rule cannot be followed.

    However many runs were missed, one follows.
    """
    repeat = run.opts["repeat"]
    rule = rule_on_wire(run.name, repeat)
    count = int(repeat.get("count") or 0) + 1
    due_ms = rule.next_ms(max(now_ms, run.due_ms))
    if due_ms is None or (rule.limit is not None and count > rule.limit):
        return None
    opts = {**run.opts, "repeat": rule.to_wire(count)}
    return Run(key=run.key, stem=run.stem, due_ms=due_ms, name=run.name, data=run.data, opts=opts)


def stems_of(key: str) -> list[str]:
    """What the ids of a repeatable's jobs may begin with, by its key alone; names and job ids may hold colons."""
    parts = key.split(":")
    ends = 2 if parts[-1].isdigit() else 3  # every: end, ms; cron: end, zone, cron
    head = parts[:-ends]
    pairs = ((":".join(head[:i]), ":".join(head[i:])) for i in range(1, len(head)))
    return [stem_of(name, job_id or None, key) for name, job_id in pairs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatable:
    """Something that runs again and again."""

    key: str  # for `remove_repeatable`
    name: str
    next_run: datetime
    cron: str | None = None
    every: timedelta | None = None
    tz: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    limit: int | None = None
    count: int = 0  # runs so far, the next one included
    job_id: str | None = None
    data: Any = None

    @classmethod
    def of(cls, run: Run) -> "Repeatable":
        """As its next run shows it."""
        repeat = run.opts["repeat"]
        rule = rule_on_wire(run.name, repeat)
        return cls(
            key=run.key,
            name=run.name,
            next_run=at(run.due_ms),
            cron=rule.cron,
            every=None if rule.every_ms is None else timedelta(milliseconds=rule.every_ms),
            tz=rule.tz,
            start_date=None if rule.start_ms is None else at(rule.start_ms),
            end_date=None if rule.end_ms is None else at(rule.end_ms),
            limit=rule.limit,
            count=int(repeat.get("count") or 0),
            job_id=rule.job_id,
            data=orjson.loads(run.data),
        )


def at(ms: Millis) -> datetime:
    """A time of the wire."""
    return datetime.fromtimestamp(ms / 1000, UTC)
