"""Of jobs that say the same, one at a time: Bull's `debounce`, and the newest data winning if asked for."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from holdfast.errors import BadJob
from holdfast.queue.jobs.durations import Seconds, to_ms
from holdfast.queue.keys import MAX_ID_CHARS

Held: TypeAlias = tuple[str, str, str]  # id, ttl in ms or '', '1' to replace; three empty ones for a job without

NOT_HELD: Held = ("", "", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Debounce:
    """While a job with this id is there, adding another one gives that job back instead."""

    id: str
    ttl: Seconds | None = None  # for so long after the add, whatever becomes of the job; None = until it ends
    # A job that has not begun gets the data of the later add, and a delayed one its delay anew; when it has begun, the
    # later one is added. So the newest data always run, and nothing runs twice for them.
    replace: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Bull's `debounce` object, ttl in ms; BadJob when it makes no sense."""
        if not isinstance(self.id, str) or not self.id.isprintable() or not 0 < len(self.id) <= MAX_ID_CHARS:
            raise BadJob(f"the id of a debounce has 1 to {MAX_ID_CHARS} printable characters, not {self.id!r:.99}")
        ttl = None if self.ttl is None else to_ms(self.ttl, what="the ttl of a debounce")
        if ttl == 0:
            raise BadJob("the ttl of a debounce must be a millisecond or more; leave it out for until the job ends")
        return {"id": self.id} if ttl is None else {"id": self.id, "ttl": ttl}

    def to_script(self) -> Held:
        """What the add script takes."""
        return self.id, str(self.to_wire().get("ttl", "")), "1" if self.replace else "0"
