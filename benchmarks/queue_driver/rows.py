"""The rows of a run: measured, kept, and put together again."""

import json
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from queue_driver.programs import Failed

Row = dict[str, Any]


def measure(about: Row, act: Callable[[], Row]) -> Row:
    """The row of one measurement, printed; whatever goes wrong is its error."""
    begun = time.monotonic()
    try:
        figures = act()
    except Exception as error:  # noqa: BLE001 - a peer that fails gives a row, not an end
        words = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
        figures = {"error": " ".join(words.split())[:300]}
    row = about | {name: rounded(value) for name, value in figures.items()}
    row["took_s"] = round(time.monotonic() - begun, 1)
    print(json.dumps(row), flush=True)
    return row


def rounded(value: Any) -> Any:
    """Four significant digits at most, and none behind the point above a thousand."""
    if not isinstance(value, float):
        return value
    return round(value) if abs(value) >= 1000 else float(f"{value:.4g}")


def select(rows: Iterable[Row], **wanted: Any) -> list[Row]:
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def median(rows: Iterable[Row], figure: str, **wanted: Any) -> float | None:
    """The median of a figure over the repetitions; None when there is none."""
    values = [row[figure] for row in select(rows, **wanted) if row.get(figure) is not None]
    return statistics.median(values) if values else None


def error(rows: Iterable[Row], **wanted: Any) -> str | None:
    return next((row["error"] for row in select(rows, **wanted) if "error" in row), None)


def load(file: Path) -> Row:
    return dict(json.loads(file.read_text()))


def save(file: Path, machine: Row, rows: list[Row], **more: Any) -> None:
    """One row a line, so that a diff can be read."""
    body = ",\n".join("  " + json.dumps(row) for row in rows)
    head = json.dumps({"machine": machine, **more}, indent=1)[:-2]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'{head},\n "rows": [\n{body}\n ]\n}}\n')
