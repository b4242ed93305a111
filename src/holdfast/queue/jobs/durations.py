"""Lengths of time as callers give them, and as whole milliseconds."""

from datetime import timedelta
from typing import TypeAlias

from holdfast.errors import BadJob

Seconds: TypeAlias = float | timedelta
MAX_DELAY_MS = 10 * 366 * 86_400_000


def to_ms(value: Seconds, *, what: str) -> int:
    """Whole milliseconds of a duration given in seconds or as a timedelta; BadJob when it cannot be one."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds * 1000 <= MAX_DELAY_MS:
        raise BadJob(f"{what} must be between 0 seconds and ten years, not {value!r}")
    return round(seconds * 1000)
