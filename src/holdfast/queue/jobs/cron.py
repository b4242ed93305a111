"""Cron expressions: the five fields of Unix, a sixth one in front for seconds, and Node's short words."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from holdfast.errors import BadJob

_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def zone(name: str | None) -> tzinfo:
    """The time zone of this name, UTC for None; BadJob when there is none."""
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, TypeError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise BadJob(f"there is no time zone {name!r}: {error}") from error
    except KeyError as error:
        raise BadJob(f"there is no time zone {name!r}; use a name such as 'Europe/Warsaw'") from error


def next_cron_ms(expression: str, tz: str | None, after_ms: int) -> int | None:
    """The first time (ms since 1970) after `after_ms` that the expression names in the zone; None when there is none.

    Where the clock is put forward, what falls into the gap runs right behind it; where it is put back, a time that
    comes twice runs once. Expressions for every minute or every hour go on evenly through both, as cron's do.
    """
    for moment in _times(expression, datetime.fromtimestamp(after_ms / 1000, zone(tz))):
        ms = (moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
        # Of an hour that comes twice the library names the first one, also when that is past.
        if ms > after_ms:
            return ms
    return None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _times(expression: str, after: datetime) -> Iterator[datetime]:
    if not isinstance(expression, str):
        raise BadJob(f"a cron expression is a str, not {expression!r}")
    plain = _WORDS.get(expression.strip().lower(), expression).replace("?", "*")
    try:
        return CronSim(plain, after)
    except CronSimError as error:
        raise BadJob(
            f"{expression!r} is no cron expression ({error}); it has five fields, minute hour day month weekday,"
            " or six with seconds in front"
        ) from error
