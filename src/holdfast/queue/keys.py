"""Every key of a queue: its name, its Redis type, who writes it.

Bull's (specs of Bull 4; `B` is `<prefix>:<queue>:`):
  id           string   counter, on every add                wait, paused, active   lists, tail = next
  meta-paused  string   exists while paused                  meta                   hash, field `paused`
  delayed      zset     due ms * 4096 + low bits             priority               zset, waiting prioritized ids
  completed, failed     zset, finishedOn                     stalled                set, Bull's suspects
  <id>         hash     the job                              <id>:lock, <id>:logs   string, list
  repeat       zset     next run (ms)                        de:<debounce id>       string, the job that owns it
Ours, which Bull never looks at (no hashes, because Bull's removeJobs would delete them):
  presence           zset     worker id -> alive until (ms, Redis' clock)           the lock-keeping threads
  presence:<worker>  string   what the worker says of itself, JSON, with a TTL      the lock-keeping threads
  watch              string   last check : no take-over before : where to go on     recover.lua
  lockless           zset     active id nobody seems to hold -> lost from then (ms)  recover.lua
  ghosts             list     ids that were in a list without their hash            take.lua, promote.lua, recover.lua
  trimming           string   last call : where completed and failed go on, ranks   trim.lua
  keep:<state>:<n>:<s>  zset  ids whose own options let them be trimmed             complete.lua, fail.lua
  event-stream       stream   what happened, capped at about 10,000 entries         every script that changes a state
  event-stream:off   string   exists while nothing is to be told there              Following.tell_events
  outcome:<id>       string   how a job ended that was removed at once, with a TTL  parts/remember.lua
  outcomes           string   bytes remembered within this minute                   parts/remember.lua
  parked             zset     id -> place: waits in the line of its group            parts/lines.lua
  lines              zset     group -> when it was served last (us)                  parts/lines.lua, parts/turns.lua
  line:<group>       zset     id -> place, the next first                            parts/lines.lua
  held:<group>       set      ids taken from a line, checked against their locks     take_limited.lua
  limiting           string   exists while there are workers with limits             Tending
  cancels            zset     running id that was cancelled -> when (ms)             parts/cancel.lua
  schedule:<repeat key>  string  id stem, name, data and opts of its jobs, with a TTL  arm.lua
  throttle:<name>    string   pace and breaker of what workers share, JSON, with a TTL  parts/throttle.lua
  holdfast:<name>    string   a note of whoever runs the queue, with a TTL          Observing.note
In the job's hash three fields are ours: `owner`, the token of the last attempt, `cancelled`, when that was asked for,
and `crashes`, the take-overs in vain.
"""

import base64
import re

from holdfast.errors import BadJob, QueueError

# fmt: off
_RESERVED_FIRST = frozenset({
    "active", "cancels", "completed", "de", "delayed", "event-stream", "events", "failed", "ghosts", "held",
    "holdfast", "id", "keep", "limiter", "limiting", "line", "lines", "lockless", "meta", "meta-paused", "metrics",
    "outcome", "outcomes", "parked", "paused", "presence", "priority", "repeat", "schedule", "stalled",
    "stalled-check", "throttle", "trimming", "wait", "watch",
})
# fmt: on
_RESERVED_LAST = frozenset({"lock", "logs", "journal", "limited", "index"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DIGITS = re.compile(r"[0-9]+")
MAX_ID_CHARS = 256


class Keys:
    """The key names of one queue."""

    __slots__ = (
        "active", "base", "cancels", "client_name", "completed", "delayed", "event_stream", "failed", "ghosts", "id",
        "limiter", "limiting", "lines", "lockless", "meta", "meta_paused", "parked", "paused", "presence", "priority",
        "repeat", "stalled", "trimming", "wait", "watch",
    )  # fmt: skip

    def __init__(self, prefix: str, queue: str) -> None:
        self.base = f"{prefix}:{queue}:"
        self.client_name = f"{prefix}:{base64.b64encode(queue.encode()).decode()}"
        for slot in self.__slots__:
            if slot not in ("base", "client_name"):
                setattr(self, slot, self.base + slot.replace("_", "-"))

    active: str
    base: str
    cancels: str
    client_name: str
    completed: str
    delayed: str
    event_stream: str
    failed: str
    ghosts: str
    id: str
    limiter: str
    limiting: str
    lines: str
    lockless: str
    meta: str
    meta_paused: str
    parked: str
    paused: str
    presence: str
    priority: str
    repeat: str
    stalled: str
    trimming: str
    wait: str
    watch: str

    def job(self, job_id: str) -> str:
        """The hash of a job."""
        return self.base + job_id

    def lock(self, job_id: str) -> str:
        """The string that holds the token of the attempt that owns a job."""
        return f"{self.base}{job_id}:lock"

    def schedule(self, repeat_key: str) -> str:
        """The string that holds what the jobs of a repeatable are made of."""
        return f"{self.base}schedule:{repeat_key}"

    def logs(self, job_id: str) -> str:
        """The list of a job's log lines."""
        return f"{self.base}{job_id}:logs"

    def throttle(self, name: str) -> str:
        """The string that holds a throttle's state."""
        return f"{self.base}throttle:{name}"

    @property
    def cancel(self) -> str:
        """The channel on which workers hear of running jobs that were cancelled."""
        return self.base + "cancel"

    def wake_pattern(self) -> str:
        """The channels that name a producer, after whose messages there may be something to take."""
        return re.sub(r"([\\*?\[\]^])", r"\\\1", self.base) + "waiting@*"

    def wake_channels(self) -> list[str]:
        """The other channels a worker listens on: there may be something to take, or a running job was cancelled."""
        return [self.base + name for name in ("stalled@", "delayed", "resumed", "cancel")]


def check_queue_name(name: str, *, what: str) -> None:
    """Raise QueueError for a name or a prefix that cannot be part of a key."""
    if not isinstance(name, str) or not name:
        raise QueueError(f"the {what} of a queue is a text that is not empty, not {name!r}")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise QueueError(f"the {what} {name!r} is no text that can be sent to Redis: {error.reason}") from error


def check_job_id(job_id: str) -> None:
    """Raise BadJob for an id that could collide with a key or with Bull's own numbers."""
    if not isinstance(job_id, str):
        raise BadJob(f"a job id is a str, not {type(job_id).__name__}; numbers are Bull's own, use e.g. 'j-5'")
    if not job_id:
        raise BadJob("a job id must not be empty; leave job_id out to get a number")
    if _DIGITS.fullmatch(job_id):
        raise BadJob(
            f"job id {job_id!r} is a number and could collide with Bull's counter; prefix it, e.g. 'j-{job_id}'"
        )
    if len(job_id) > MAX_ID_CHARS or _CONTROL.search(job_id):
        raise BadJob(f"a job id has at most {MAX_ID_CHARS} characters and no control characters")
    if not job_id.isprintable():
        raise BadJob(f"job id {job_id!r} has characters that cannot be printed or sent; leave them out")
    parts = job_id.split(":")
    if parts[0] in _RESERVED_FIRST or parts[-1] in _RESERVED_LAST:
        raise BadJob(f"job id {job_id!r} could collide with a key of the queue; prefix it, e.g. 'j-…'")


def check_group(group: str) -> None:
    """Raise BadJob for a group that cannot be part of a key, or whose keys would be Bull's."""
    if not isinstance(group, str) or not group or len(group.encode("utf-8", "replace")) > MAX_ID_CHARS:
        raise BadJob(f"a group is a text of 1 to {MAX_ID_CHARS} bytes, not {group!r:.100}")
    if not group.isprintable():
        raise BadJob(f"group {group!r} has characters that cannot be printed; leave them out")
    if group in ("limited", "index") or group.endswith(":limited"):
        raise BadJob(f"group {group!r} would use a key of Bull's limiter; prefix it, e.g. 'g-{group}'")


def may_be_job(job_id: str) -> bool:
    """Whether `<base><job_id>` can be a job of anybody's, Node's included, and not a key of the queue's own."""
    first, *rest = job_id.split(":")
    if first == "repeat":  # Bull's ids of the runs of a repeatable
        return len(rest) > 0
    return bool(job_id) and first not in _RESERVED_FIRST and (rest or [first])[-1] not in _RESERVED_LAST
