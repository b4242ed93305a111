"""How long a job waits after a failed attempt, and whether there is another one. Nothing here talks to Redis."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from holdfast.errors import BadJob, QueueError, Unrecoverable
from holdfast.queue.jobs.durations import MAX_DELAY_MS, Seconds, to_ms

# Called with the attempts made (1 = the first has failed) and the error; seconds to wait, or None (-1, as in Bull) to
# give the job up.
Strategy: TypeAlias = Callable[[int, BaseException], Seconds | None]

BUILT_IN = ("fixed", "exponential")
UNKNOWN_DELAY = 2.0  # seconds; for a worker's own type, which needs no delay, on a worker that has not got it


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before the next attempt."""

    delay: Seconds = 2.0  # seconds before the first retry
    type: str = "exponential"  # "fixed" | "exponential" (1x, 3x, 7x … of the delay, as Bull counts) | a worker's own
    jitter: float = 0.0  # 0..1: shorten each wait by a random share up to this
    max: Seconds | None = None  # no wait is longer; Node's workers do not know of it, nor of the jitter

    def wait_ms(self, attempts_made: int) -> int:
        """Milliseconds to wait after the `attempts_made`-th failed attempt (1 = the first).

        A type of a worker's own that this worker has not got counts as exponential: slower rather than a storm.
        """
        base = to_ms(self.delay, what="backoff delay")
        factor = 1 if self.type == "fixed" else 2 ** min(max(attempts_made, 0), 40) - 1
        limit = MAX_DELAY_MS if self.max is None else to_ms(self.max, what="the most a backoff waits")
        return round(min(base * factor, limit) * (1 - self.jitter * random.random()))

    def to_wire(self) -> dict[str, Any]:
        """Bull's `backoff` object, delay in ms; BadJob when it makes no sense."""
        if not isinstance(self.type, str) or not self.type:
            raise BadJob(f"a backoff's type is 'fixed', 'exponential' or a worker's own name, not {self.type!r}")
        if isinstance(self.jitter, bool) or not isinstance(self.jitter, int | float) or not 0 <= self.jitter <= 1:
            raise BadJob(f"a backoff's jitter is between 0 and 1, not {self.jitter!r}")
        wire: dict[str, Any] = {"type": self.type, "delay": to_ms(self.delay, what="backoff delay")}
        options: dict[str, Any] = {"jitter": self.jitter} if self.jitter else {}
        if self.max is not None:
            options["max"] = to_ms(self.max, what="the most a backoff waits")
        return wire | ({"options": options} if options else {})

    @classmethod
    def from_wire(cls, wire: object) -> "Backoff | None":
        """Read Bull's `backoff` (an object, or a number of ms); None when there is none. What makes no sense there is
        left out: a producer's slip must not cost the job its attempts."""
        if isinstance(wire, int | float) and not isinstance(wire, bool):
            return cls(type="fixed", delay=_seconds(wire) or 0)
        if not isinstance(wire, Mapping) or not isinstance(wire.get("type"), str):
            return None
        options = wire["options"] if isinstance(wire.get("options"), Mapping) else {}
        delay = _seconds(wire.get("delay"))
        if delay is None:
            delay = 0 if wire["type"] in BUILT_IN else UNKNOWN_DELAY
        share = options.get("jitter")
        jitter = share if isinstance(share, int | float) and 0 <= share <= 1 else 0.0
        return cls(type=wire["type"], delay=delay, jitter=jitter, max=_seconds(options.get("max")))


def _seconds(ms: object) -> float | None:
    if isinstance(ms, bool) or not isinstance(ms, int | float) or not math.isfinite(ms):
        return None
    return min(max(ms, 0), MAX_DELAY_MS) / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """A worker's say in what follows a failed attempt."""

    by_name: Mapping[str, Strategy] = field(default_factory=dict)  # backoff types of the worker's own
    by_error: Mapping[type[BaseException], Backoff | Strategy | None] = field(default_factory=dict)  # None = give up

    def __post_init__(self) -> None:
        wrong = [name for name, strategy in self.by_name.items() if name in BUILT_IN or not callable(strategy)]
        if wrong:
            raise QueueError(f"backoffs are functions with names other than 'fixed' and 'exponential', not {wrong}")
        for kind, rule in self.by_error.items():
            if not (isinstance(kind, type) and issubclass(kind, BaseException)):
                raise QueueError(f"errors maps classes of exceptions, and {kind!r} is none")
            if not (rule is None or isinstance(rule, Backoff) or callable(rule)):
                raise QueueError(f"errors maps {kind.__name__} to a Backoff, a function or None, not to {rule!r}")

    def wait_ms(self, wire: object, attempts_made: int, error: BaseException) -> int | None:
        """Milliseconds until the next attempt; None to give the job up, whatever attempts are left.

        The rule for the error's class, or the nearest class above it, goes before the job's own backoff (`wire`). An
        error that says `retry_after` (seconds) is obeyed: the wait is never shorter.
        """
        if isinstance(error, Unrecoverable):
            return None
        rule = self._rule(wire, error)
        wait = rule.wait_ms(attempts_made) if isinstance(rule, Backoff) else self._ask(rule, attempts_made, error)
        return None if wait is None else max(wait, retry_after_ms(error))

    def _rule(self, wire: object, error: BaseException) -> Backoff | Strategy | None:
        for kind in type(error).__mro__ if self.by_error else ():
            if kind in self.by_error:
                return self.by_error[kind]
        backoff = Backoff.from_wire(wire) or _AT_ONCE
        return self.by_name.get(backoff.type, backoff)

    def _ask(self, strategy: Strategy | None, attempts_made: int, error: BaseException) -> int | None:
        if strategy is None:
            return None
        try:
            seconds = strategy(attempts_made, error)
            return None if seconds is None or seconds == -1 else to_ms(seconds, what="a backoff's wait")
        except Exception as broken:  # noqa: BLE001 - a slip in the strategy must not cost the job its attempts
            error.add_note(
                f"The worker's backoff did not work ({type(broken).__name__}: {broken}); waited as by default."
            )
            return Backoff().wait_ms(attempts_made)


_AT_ONCE = Backoff(type="fixed", delay=0)


def retry_after_ms(error: BaseException) -> int:
    """When an error says to come back, by its `retry_after` (seconds or a timedelta); 0 when it says nothing."""
    said = getattr(error, "retry_after", None)
    if isinstance(said, timedelta):
        said = said.total_seconds()
    if isinstance(said, bool) or not isinstance(said, int | float):
        return 0
    return round((_seconds(said * 1000) or 0) * 1000)
