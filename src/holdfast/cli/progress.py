"""A generation under way, shown: a live bar in a terminal, plain lines in a file, nothing if so asked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from holdfast.cli.words import PHASES, dollars, duration
from holdfast.service import Status

LINE_EVERY = 2.0  # seconds between two plain lines of one stage


class View(Protocol):
    """Shows a generation's way."""

    def show(self, status: Status) -> None:
        """It has come this far."""
        ...

    def say(self, line: str) -> None:
        """Something the user should know meanwhile."""
        ...


@contextmanager
def view(console: Console, *, silent: bool) -> Iterator[View]:
    """The view that fits the console."""
    if silent:
        yield _Silent(console)
    elif console.is_terminal:
        with _progress(console) as bar:
            yield _Bar(bar)
    else:
        yield _Lines(console)


def details(status: Status) -> str:
    """Clusters, cost and time left, as far as they are known."""
    parts = []
    if status.n_clusters:
        failed = f", {status.n_failed} failed" if status.n_failed else ""
        parts.append(f"{status.n_completed} of {status.n_clusters} clusters{failed}")
    parts.append(dollars(status.spent_usd))
    if status.eta_seconds is not None and status.status in {"queued", "processing"}:
        parts.append(f"about {duration(status.eta_seconds)} left")
    return " · ".join(parts)


def stage(status: Status) -> str:
    """What is being done now."""
    return status.status if status.ended or status.status == "paused" else PHASES[status.phase]


class _Silent:
    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, status: Status) -> None:
        pass

    def say(self, line: str) -> None:
        self._console.print(line)


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._row = bar.add_task(PHASES[None], total=100, details="")

    def show(self, status: Status) -> None:
        self._bar.update(self._row, completed=status.progress, description=stage(status), details=details(status))

    def say(self, line: str) -> None:
        self._bar.console.print(line)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage = ""
        self._said_at = 0.0
        self._last = ""

    def show(self, status: Status) -> None:
        line = f"{status.progress:3} %  {stage(status)} · {details(status)}"
        now = time.monotonic()
        is_new = stage(status) != self._stage or now - self._said_at >= LINE_EVERY
        if is_new and line != self._last:
            self._console.print(line)
            self._stage, self._said_at, self._last = stage(status), now, line

    def say(self, line: str) -> None:
        self._console.print(line)


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:3.0f} %", markup=False),
        TextColumn("{task.fields[details]}", markup=False, style="dim"),
        TimeElapsedColumn(),
        console=console,
    )
