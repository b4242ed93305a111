"""What a drill has measured: plain values, gathered by the play and judged by the criteria."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from holdfast.service import Balance

Name: TypeAlias = Literal["server", "redis", "persistence"]
NAMES: tuple[Name, ...] = ("server", "redis", "persistence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that was done to what runs, and when."""

    at: float  # seconds since the run began
    kind: Literal["kill", "start", "note"]
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """How many clusters the status said were done, from this moment on."""

    at: float
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFacts:
    """What the status said from the first moment of a generation to its last."""

    samples: int
    unanswered: int  # looks while the API was dead
    longest_gap: float  # seconds between two looks
    n_wrong: int  # statements that went back, or were not what the database said
    wrong: tuple[str, ...]  # each of them once


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Redis at one moment, read by plain commands, against our own reading and the database."""

    when: str
    by_state: Mapping[str, int]  # jobs of the whole queue, by plain commands; states without a job are left out
    hashes: int  # job hashes of the generation that were compared with the database
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The provider's bill of one generation, and the ledger's view of it."""

    billed: int  # calls
    billed_usd: Decimal
    twice: int  # calls billed for a prompt that had been billed already
    spent: Decimal
    reserved: Decimal
    in_doubt: int  # calls listed as in doubt
    in_doubt_usd: Decimal  # at most


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLines:
    """How often one worker's log said what the outage calls for."""

    worker: int  # process id
    lost: int  # redis connection lost
    reconnected: int  # redis reconnected
    resuming: int  # resuming pending jobs, after the reconnect
    after: float | None  # seconds that the log says Redis was away


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One generation that a drill has put through something."""

    drill: Name
    title: str
    clusters: int
    completed: int
    ended: str  # the last status
    seconds: float
    status: StatusFacts
    looks: tuple[Look, ...]
    money: Money
    balance: Balance
    in_two_states: int  # jobs
    moments: tuple[Moment, ...]
    line: tuple[Point, ...]
    told_before: int | None = None  # clusters done, by the last status before the API was killed
    told_after: int | None = None  # by the first one after it was back
    cut_off: int = 0  # calls that were billed and had no reply on record when their worker was killed
    resumed_after: float | None = None  # seconds from the start of what was dead to the first job taken
    log: tuple[LogLines, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing about where and how it was played."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Every run, and the drills that were not played with the reason."""

    runs: tuple[Run, ...]
    left_out: Mapping[Name, str]
