"""Every key of a queue: its name, its Redis type, who writes it.

Bull's (specs of Bull 4; `B` is `<prefix>:<queue>:`):
  id           string   counter, on every add                wait, paused, active   lists, tail = next
  meta-paused  string   exists while paused                  meta                   hash, field `paused`
  delayed      zset     due ms * 4096 + low bits             priority               zset, waiting prioritized ids
  completed, failed     zset, finishedOn                     stalled                set, Bull's suspects
  <id>         hash     the job                              <id>:lock, <id>:logs   string, list
Ours, which Bull never looks at (no hashes, because Bull's removeJobs would delete them):
  presence           zset     worker id -> alive until (ms, Redis' clock)           the lock-keeping threads
  presence:<worker>  string   what the worker says of itself, JSON, with a TTL      the lock-keeping threads
  watch              string   last check : no take-over before : where to go on     recover.lua
  lockless           zset     active id nobody seems to hold -> first seen so (ms)  recover.lua
  ghosts             list     ids that were in a list without their hash            take.lua, promote.lua, recover.lua
  keep:<state>:<n>:<s>  zset  ids whose own options let them be trimmed             complete.lua, fail.lua
In the job's hash one field is ours: `owner`, the token of the last attempt.
"""

import base64
import re

from holdfast.errors import BadJob

# fmt: off
_RESERVED_FIRST = frozenset({
    "active", "completed", "de", "delayed", "events", "failed", "ghosts", "id", "keep", "limiter", "lockless", "meta",
    "meta-paused", "metrics", "paused", "presence", "priority", "repeat", "stalled", "stalled-check", "wait", "watch",
})
# fmt: on
_RESERVED_LAST = frozenset({"lock", "logs", "journal", "limited", "index"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DIGITS = re.compile(r"[0-9]+")
MAX_ID_CHARS = 256


class Keys:
    """The key names of one queue."""

    __slots__ = (
        "active", "base", "client_name", "completed", "delayed", "failed", "ghosts", "id", "lockless", "meta",
        "meta_paused", "paused", "presence", "priority", "stalled", "wait", "watch",
    )  # fmt: skip

    def __init__(self, prefix: str, queue: str) -> None:
        self.base = f"{prefix}:{queue}:"
        self.client_name = f"{prefix}:{base64.b64encode(queue.encode()).decode()}"
        for slot in self.__slots__:
            if slot not in ("base", "client_name"):
                setattr(self, slot, self.base + slot.replace("_", "-"))

    active: str
    base: str
    client_name: str
    completed: str
    delayed: str
    failed: str
    ghosts: str
    id: str
    lockless: str
    meta: str
    meta_paused: str
    paused: str
    presence: str
    priority: str
    stalled: str
    wait: str
    watch: str

    def job(self, job_id: str) -> str:
        """The hash of a job."""
        return self.base + job_id

    def lock(self, job_id: str) -> str:
        """The string that holds the token of the attempt that owns a job."""
        return f"{self.base}{job_id}:lock"

    def logs(self, job_id: str) -> str:
        """The list of a job's log lines."""
        return f"{self.base}{job_id}:logs"

    def wake_pattern(self) -> str:
        """The channels that name a producer, after whose messages there may be something to take."""
        return re.sub(r"([\\*?\[\]^])", r"\\\1", self.base) + "waiting@*"

    def wake_channels(self) -> list[str]:
        """The other channels after whose messages there may be something to take."""
        return [self.base + name for name in ("stalled@", "delayed", "resumed")]


def check_job_id(job_id: str) -> None:
    """Raise BadJob for an id that could collide with a key or with Bull's own numbers."""
    if not isinstance(job_id, str):
        raise BadJob(f"a job id is a str, not {type(job_id).__name__}")
    if not job_id:
        raise BadJob("a job id must not be empty; leave job_id out to get a number")
    if _DIGITS.fullmatch(job_id):
        raise BadJob(
            f"job id {job_id!r} is a number and could collide with Bull's counter; prefix it, e.g. 'j-{job_id}'"
        )
    if len(job_id) > MAX_ID_CHARS or _CONTROL.search(job_id):
        raise BadJob(f"a job id has at most {MAX_ID_CHARS} characters and no control characters")
    parts = job_id.split(":")
    if parts[0] in _RESERVED_FIRST or parts[-1] in _RESERVED_LAST or not job_id.isprintable():
        raise BadJob(f"job id {job_id!r} could collide with a key of the queue; prefix it, e.g. 'j-…'")
