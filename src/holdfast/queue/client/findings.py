"""What an audit of a queue can find, and what the letters of parts/places.lua mean."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

FindingKind: TypeAlias = Literal[
    "ghost",
    "orphan",
    "husk",
    "twice",
    "abandoned",
    "stray_lock",
    "stale_priority",
    "stale_keep",
    "loose_debounce",
    "silent_repeatable",
    "pause_marks",
    "dead_worker",
]

# What is wrong, and what a repair does.
MEANING: dict[FindingKind, tuple[str, str]] = {
    "ghost": ("an id without a job", "set aside in the quarantine"),
    "orphan": ("a job that is in no list: nobody would ever run it", "put where it belongs"),
    "husk": ("a hash in no list without name, data and options", "deleted"),
    "twice": ("a job in more than one place", "kept in one of them"),
    "abandoned": ("active, and nobody holds its lock", "put back to the front of the line"),
    "stray_lock": ("locked, and not active: no worker can take it", "unlocked"),
    "stale_priority": ("among the prioritized that wait, and not waiting", "taken out"),
    "stale_keep": ("in a retention index, and not finished so: others are trimmed too early", "taken out"),
    "loose_debounce": ("a debounce whose job is gone: others are not added", "deleted"),
    "silent_repeatable": ("a repeatable without a next run", "armed again"),
    "pause_marks": ("the two marks of a pause disagree, or jobs wait in the wrong list", "set as meta-paused says"),
    "dead_worker": ("a worker that is gone without saying so", "forgotten"),
}
_PLACES = {
    "w": "wait", "p": "paused", "a": "active", "d": "delayed", "c": "completed", "f": "failed", "k": "parked",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be, seen twice."""

    kind: FindingKind
    subject: str  # a job's id; else the key, or what the kind speaks of
    places: tuple[str, ...] = ()  # where the id is
    repaired: bool = False

    @property
    def meaning(self) -> str:
        """What is wrong, in words."""
        return MEANING[self.kind][0]

    @property
    def remedy(self) -> str:
        """What a repair does about it."""
        return MEANING[self.kind][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What an audit found; workers went on meanwhile, so what they were about to mend may be among it."""

    queue: str
    looked_at: int  # ids
    took: timedelta
    findings: tuple[Finding, ...]
    is_complete: bool  # False when it stopped at the most findings one audit gathers: repair, and audit again

    @property
    def ok(self) -> bool:
        """Whether no job is affected: the trace of a dead worker alone is none."""
        return all(finding.kind == "dead_worker" for finding in self.findings)


def places_in(letters: str) -> tuple[str, ...]:
    """The places that the letters name, twice if the id is there twice."""
    return tuple(_PLACES[letter] for letter in letters if letter in _PLACES)


def verdict(letters: str) -> FindingKind | None:
    """What is wrong with an id of which this is seen at one moment."""
    places = "".join(letter for letter in letters if letter in _PLACES)
    if "h" not in letters and places:
        return "ghost"
    if len(places) > 1:
        return "twice"
    if "l" in letters and places != "a":
        return "stray_lock"
    if "y" in letters and places not in ("w", "p"):
        return "stale_priority"
    return _unplaced(letters) if "h" in letters and places in ("", "a") else None


def _unplaced(letters: str) -> FindingKind | None:
    if "a" in letters:
        return None if "l" in letters else "abandoned"
    return "husk" if "n" in letters else "orphan"
