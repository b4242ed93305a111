"""A line of the checklist, and the report they make."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias, get_args

Level: TypeAlias = Literal["ok", "warn", "fail"]
Name: TypeAlias = Literal[
    "redis",
    "redis version",
    "redis persistence",
    "redis loss",
    "redis memory",
    "redis eviction",
    "redis access",
    "redis encryption",
    "redis cluster",
    "redis latency",
    "redis clock",
    "redis reconnects",
    "reconnect settings",
    "retention",
    "growth",
    "redis backup",
    "postgresql",
    "postgresql version",
    "migrations",
    "row security",
    "synchronous commit",
    "pooler",
    "postgresql connections",
    "postgresql encryption",
    "postgresql latency",
    "postgresql clock",
    "postgresql backup",
    "metrics",
    "alerts",
    "disk",
    "provider keys",
    "prices",
    "versions",
]

NAMES: tuple[Name, ...] = get_args(Name)  # every line there is, in the order in which they are shown

# Nothing can be done at all until these are mended: the API takes no requests then.
VITAL: frozenset[Name] = frozenset({"redis", "redis cluster", "redis version", "postgresql", "migrations"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was looked at."""

    name: Name
    level: Level
    figure: str  # what was found
    fix: str = ""  # a command, or lines of a configuration; empty: nothing to do


def ok(name: Name, figure: str) -> Line:
    """As it should be."""
    return Line(name=name, level="ok", figure=figure)


def warn(name: Name, figure: str, fix: str) -> Line:
    """It works, and something is at risk or not known."""
    return Line(name=name, level="warn", figure=figure, fix=fix)


def fail(name: Name, figure: str, fix: str) -> Line:
    """To be mended before anybody relies on it."""
    return Line(name=name, level="fail", figure=figure, fix=fix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was looked at, in the order of `NAMES`."""

    lines: tuple[Line, ...]
    took: timedelta

    @classmethod
    def of(cls, lines: Iterable[Line], *, took: timedelta) -> "Report":
        """The lines in their order."""
        return cls(lines=tuple(sorted(lines, key=lambda line: NAMES.index(line.name))), took=took)

    @property
    def level(self) -> Level:
        """The worst there is."""
        levels = {line.level for line in self.lines}
        return "fail" if "fail" in levels else "warn" if "warn" in levels else "ok"

    @property
    def is_ready(self) -> bool:
        """Whether work can be done; what is set up badly does not keep it from going on."""
        return not any(line.level == "fail" and line.name in VITAL for line in self.lines)
