"""What a drill leaves behind: everything that was measured and judged, as values and as JSON."""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from holdfast.drill.criteria import Criterion, judge, passed
from holdfast.drill.facts import Played, Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One drill, whole."""

    version: str  # of Holdfast
    began: datetime
    seconds: float
    settings: tuple[Setting, ...]
    played: Played
    criteria: tuple[Criterion, ...]

    @property
    def passed(self) -> bool:
        """Whether all that was played passed."""
        return passed(self.criteria)


def report_of(
    played: Played, *, version: str, began: datetime, seconds: float, settings: tuple[Setting, ...]
) -> Report:
    """Judge what was played."""
    criteria = judge(played)
    return Report(version=version, began=began, seconds=seconds, settings=settings, played=played, criteria=criteria)


def report_json(report: Report) -> dict[str, Any]:
    """The report for a script: money as decimal strings, times in UTC, lengths in seconds."""
    told: dict[str, Any] = _plain(asdict(report))
    played = told.pop("played")
    return {"passed": report.passed, **told, "runs": played["runs"], "left_out": played["left_out"]}


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case Decimal():
            return f"{value:.2f}" if value == value.quantize(Decimal("0.01")) else f"{value:f}"
        case datetime():
            return value.isoformat(timespec="seconds")
        case float():
            return round(value, 3)
        case _:
            return value
