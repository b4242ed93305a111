"""How a queue's things are said."""

import re
from datetime import UTC, datetime, timedelta

from holdfast.cli.words import duration
from holdfast.errors import BadInput

STATES = ("wait", "active", "delayed", "completed", "failed", "paused")
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds_of(age: str) -> float:
    """Seconds of `90s`, `15m`, `12h`, `7d`, `2w` or a bare number of seconds; BadInput for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw]?)", age.strip())
    if not match:
        raise BadInput(f"{age!r} is no age; say it as 90s, 15m, 12h or 7d")
    return float(match[1]) * UNITS[match[2]]


def ago(at: datetime | None) -> str:
    """How long ago, or in how long; '-' for never."""
    if at is None:
        return "-"
    seconds = (datetime.now(UTC) - at).total_seconds()
    return f"in {long(-seconds)}" if seconds < -1 else f"{long(max(0, seconds))} ago"


def long(seconds: float) -> str:
    """A length of time, in days when it is that long."""
    if seconds >= 172_800:
        return f"{seconds / 86_400:.0f} days"
    return duration(seconds)


def since(span: timedelta | None) -> str:
    """A span as one says it; '-' for none."""
    return "-" if span is None else long(span.total_seconds())
