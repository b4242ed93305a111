"""How a job is to be run and kept: what a producer may ask for, and its JSON on Bull's wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypedDict

from holdfast.errors import BadJob
from holdfast.queue.jobs.backoffs import Backoff
from holdfast.queue.jobs.debounce import Debounce
from holdfast.queue.jobs.durations import Seconds, to_ms
from holdfast.queue.keys import check_group

MAX_PRIORITY = 2**21


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
    """What the scripts call `keep`: '' for ever, '0' remove now, '<count>:<age in s>' with -1 for no bound.

    Never raises: what Node or a stranger wrote there and makes no sense is no bound, as parts/keep.lua has it.
    """
    if wire is True:
        return "0"
    count, age = _bound(wire), -1
    if isinstance(wire, Mapping):
        count, age = _bound(wire.get("count")), _bound(wire.get("age"))
    if count == 0:
        return "0"
    return f"{count}:{age}" if (count, age) != (-1, -1) else ""


def _bound(value: object) -> int:
    is_one = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53
    return int(value) if is_one else -1  # type: ignore[call-overload]


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
    group: str | None


class AddFields(OptionFields, total=False):
    """What else `Queue.add` takes as keywords."""

    debounce: Debounce | None


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
    group: str | None = None  # whose job it is, e.g. a tenant's: workers may limit each group and let them take turns
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
        if self.group is not None:
            check_group(self.group)

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
        if self.group is not None:
            wire["group"] = self.group
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
    debounce: Debounce | None = field(default=None, kw_only=True)
    attempts: int | None = field(default=None, kw_only=True)
    backoff: Backoff | Seconds | None = field(default=None, kw_only=True)
    delay: Seconds | None = field(default=None, kw_only=True)
    priority: int | None = field(default=None, kw_only=True)
    lifo: bool | None = field(default=None, kw_only=True)
    timeout: Seconds | None = field(default=None, kw_only=True)
    remove_on_complete: Keep | None = field(default=None, kw_only=True)
    remove_on_fail: Keep | None = field(default=None, kw_only=True)
    group: str | None = field(default=None, kw_only=True)

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
            self.group,
        )


OPTION_NAMES = tuple(OptionFields.__annotations__)
