"""How a job is to be run and kept: what a producer may ask for, and its JSON on Bull's wire."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal, TypeAlias, TypedDict

from holdfast.errors import BadJob

Seconds: TypeAlias = float | timedelta
MAX_DELAY_MS = 10 * 366 * 86_400_000
MAX_PRIORITY = 2**21


def to_ms(value: Seconds, *, what: str) -> int:
    """Whole milliseconds of a duration given in seconds or as a timedelta; BadJob when it cannot be one."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if not isinstance(seconds, int | float) or not 0 <= seconds * 1000 <= MAX_DELAY_MS:
        raise BadJob(f"{what} must be between 0 seconds and ten years, not {value!r}")
    return round(seconds * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before the next attempt."""

    delay: Seconds = 2.0  # seconds before the first retry
    type: Literal["fixed", "exponential"] = "exponential"  # exponential: 1x, 3x, 7x … of the delay, as Bull counts
    jitter: float = 0.0  # 0..1: shorten each wait by a random share up to this

    def wait_ms(self, attempts_made: int) -> int:
        """Milliseconds to wait after the `attempts_made`-th failed attempt (1 = the first)."""
        base = to_ms(self.delay, what="backoff delay")
        factor = 1 if self.type == "fixed" else 2 ** min(attempts_made, 40) - 1
        wait = min(base * factor, MAX_DELAY_MS)
        return round(wait * (1 - self.jitter * random.random()))

    def to_wire(self) -> dict[str, Any]:
        """Bull's `backoff` object; delay in ms."""
        wire: dict[str, Any] = {"type": self.type, "delay": to_ms(self.delay, what="backoff delay")}
        return wire | ({"options": {"jitter": self.jitter}} if self.jitter else {})

    @classmethod
    def from_wire(cls, wire: object) -> "Backoff | None":
        """Read Bull's `backoff` (an object, or a number of ms); None when there is none or its type is unknown here."""
        if isinstance(wire, int | float) and not isinstance(wire, bool):
            return cls(type="fixed", delay=wire / 1000)
        if not isinstance(wire, Mapping) or wire.get("type") not in ("fixed", "exponential"):
            return None
        jitter = wire["options"].get("jitter", 0.0) if isinstance(wire.get("options"), Mapping) else 0.0
        delay = wire.get("delay")
        return cls(type=wire["type"], delay=delay / 1000 if isinstance(delay, int | float) else 0, jitter=jitter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Keep the newest `count` finished jobs, none older than `age`; None means no bound of that kind."""

    count: int | None = None
    age: Seconds | None = None  # whole seconds on the wire


Keep: TypeAlias = bool | int | Retention  # remove at once | keep the newest N | by age and count; False = keep all


def keep_to_wire(keep: Keep) -> Any:
    """Bull's removeOnComplete / removeOnFail value."""
    if not isinstance(keep, Retention):
        if keep < 0:
            raise BadJob(f"a number of jobs to keep cannot be {keep}")
        return keep
    wire: dict[str, int] = {}
    if keep.age is not None:
        wire["age"] = to_ms(keep.age, what="age") // 1000
    if keep.count is not None:
        wire["count"] = keep.count
    return wire


def keep_to_script(wire: object) -> str:
    """What the scripts call `keep`: '' for ever, '0' remove now, '<count>:<age in s>' with -1 for no bound."""
    if wire is True or (wire == 0 and wire is not False):
        return "0"
    if isinstance(wire, Mapping):
        count, age = wire.get("count", -1), wire.get("age", -1)
        return "0" if count == 0 else f"{int(count)}:{int(age)}" if (count, age) != (-1, -1) else ""
    if isinstance(wire, int | float) and not isinstance(wire, bool):
        return f"{int(wire)}:-1"
    return ""


class OptionFields(TypedDict, total=False):
    """The options `Queue.add` takes as keywords; None means the queue's default."""

    attempts: int | None
    backoff: Backoff | Seconds | None
    delay: Seconds | None
    priority: int | None
    lifo: bool | None
    timeout: Seconds | None
    remove_on_complete: Keep | None
    remove_on_fail: Keep | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """How a job is run and kept; as `Queue(defaults=…)` it holds for every job that does not say otherwise."""

    attempts: int = 1  # how often it is tried in all
    backoff: Backoff | Seconds | None = None  # a number of seconds means a fixed wait; None = retry at once
    delay: Seconds = 0  # not before so long after the add
    priority: int = 0  # 1 = most urgent; 0 = none, after all that have one
    lifo: bool = False  # to the front of the line
    timeout: Seconds | None = None  # an attempt that takes longer fails
    remove_on_complete: Keep = False
    remove_on_fail: Keep = False
    stack_trace_limit: int = 10  # traces kept of the last failed attempts

    def over(self, fields: Mapping[str, Any]) -> "JobOptions":
        """These options with the fields that are not None put over them."""
        given = {name: value for name, value in fields.items() if value is not None}
        return replace(self, **given) if given else self

    def _check(self) -> None:
        if not isinstance(self.attempts, int) or self.attempts < 1:
            raise BadJob(f"attempts must be 1 or more, not {self.attempts!r}")
        if not isinstance(self.priority, int) or not 0 <= self.priority <= MAX_PRIORITY:
            raise BadJob(f"priority must be between 0 and {MAX_PRIORITY}, not {self.priority!r}")

    def to_wire(self) -> dict[str, Any]:
        """Bull's `opts` object, without timestamp and jobId; BadJob when an option makes no sense."""
        self._check()
        wire: dict[str, Any] = {"attempts": self.attempts, "delay": to_ms(self.delay, what="delay")}
        if self.backoff is not None:
            backoff = self.backoff if isinstance(self.backoff, Backoff) else Backoff(type="fixed", delay=self.backoff)
            wire["backoff"] = backoff.to_wire()
        if self.timeout is not None:
            wire["timeout"] = to_ms(self.timeout, what="timeout")
        if self.priority:
            wire["priority"] = self.priority
        if self.lifo:
            wire["lifo"] = True
        for name, keep in (("removeOnComplete", self.remove_on_complete), ("removeOnFail", self.remove_on_fail)):
            if keep is not False:
                wire[name] = keep_to_wire(keep)
        return wire if self.stack_trace_limit == 10 else wire | {"stackTraceLimit": self.stack_trace_limit}


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to add: name, data (any JSON value), and what `JobOptions` explains; None means the queue's default."""

    name: str
    data: Any = None
    job_id: str | None = field(default=None, kw_only=True)  # None = the next number
    attempts: int | None = field(default=None, kw_only=True)
    backoff: Backoff | Seconds | None = field(default=None, kw_only=True)
    delay: Seconds | None = field(default=None, kw_only=True)
    priority: int | None = field(default=None, kw_only=True)
    lifo: bool | None = field(default=None, kw_only=True)
    timeout: Seconds | None = field(default=None, kw_only=True)
    remove_on_complete: Keep | None = field(default=None, kw_only=True)
    remove_on_fail: Keep | None = field(default=None, kw_only=True)

    def option_values(self) -> tuple[Any, ...]:
        """The option fields, in the order of `OPTION_NAMES`."""
        return (
            self.attempts,
            self.backoff,
            self.delay,
            self.priority,
            self.lifo,
            self.timeout,
            self.remove_on_complete,
            self.remove_on_fail,
        )


OPTION_NAMES = tuple(OptionFields.__annotations__)
