"""The drill on the terminal: its story line by line, the five criteria, and the reports it leaves."""

import json
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.text import Text

from holdfast import __version__
from holdfast.cli.exits import FAILED
from holdfast.cli.running import Stop, unless_stopped
from holdfast.cli.screen import screen
from holdfast.drill import OUTAGES, Criterion, Fsync, Name, Report, open_stage, page, play, report_json, report_of
from holdfast.errors import BadInput
from holdfast.settings import Settings

INTRODUCTION = """\
A generation of 10 clusters that costs $15 is made again and again, and what makes it is killed.
Real processes, real servers, real kill -9; a stand-in for the provider bills $1.50 a call.
"All agree": plain Redis commands, Queue.counts, the API and the database say the same of each job.
"""
STYLES = {"pass": "green", "fail": "bold red", "not played": "dim"}
SIGNS = {"pass": "pass", "fail": "FAIL", "not played": "-"}
INDENT = len("pass  1  ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    drills: tuple[str, ...]
    json: str | None  # a file, or - for stdout
    html: Path | None
    outages: tuple[float, ...]
    fsync: Fsync
    on_my_redis: bool
    keep: bool


async def show_drill(settings: Settings, stop: Stop, wanted: Wanted) -> int:
    """`holdfast drill`: 0 only if all that was played passed."""
    _check_places(wanted)
    console = screen(to_stderr=wanted.json == "-")
    console.print(INTRODUCTION)
    report = await _played(settings, stop, wanted, console)
    if report is None:
        console.print("stopped; nothing of it is left")
        return stop.exit_code
    _show(console, report)
    _write(console, report, wanted)
    return 0 if report.passed else FAILED


async def _played(settings: Settings, stop: Stop, wanted: Wanted, console: Console) -> Report | None:
    began, clock = datetime.now(UTC), time.monotonic()

    def tell(line: str) -> None:
        console.print(f"{time.monotonic() - clock:5.1f} s  {line}", soft_wrap=True)

    async with open_stage(settings, keep=wanted.keep, fsync=wanted.fsync, on_my_redis=wanted.on_my_redis) as stage:
        servers = "PostgreSQL, Redis" if stage.own_redis else "PostgreSQL"
        tell(f"{servers} and the provider started in {stage.folder}")
        drills = cast("tuple[Name, ...]", wanted.drills)
        played = await unless_stopped(play(stage, tell, drills=drills, outages=wanted.outages or OUTAGES), stop)
        if played is None:
            return None
        if wanted.keep:
            tell(f"kept: {stage.folder}")
        return report_of(
            played,
            version=__version__,
            began=began,
            seconds=time.monotonic() - clock,
            settings=tuple(stage.settings()),
        )


def _show(console: Console, report: Report) -> None:
    console.print()
    for criterion in report.criteria:
        _show_criterion(console, criterion)
    words = "IT HELD" if report.passed else "IT DID NOT HOLD"
    style = "bold green" if report.passed else "bold red"
    console.print(Text(f"\n{words} after {report.seconds:.0f} s", style=style))


def _show_criterion(console: Console, criterion: Criterion) -> None:
    sign, style = SIGNS[criterion.verdict], STYLES[criterion.verdict]
    console.print(Text.assemble((f"{sign:<6}", style), f"{criterion.number}  {criterion.name}"))
    lines = [(figure, "dim") for figure in criterion.figures] + [(each, "red") for each in criterion.shown_wrong]
    for line, of_line in lines:
        for piece in Text(line, style=of_line).wrap(console, max(20, console.width - INDENT)):
            console.print(Text(" " * INDENT) + piece)


def _check_places(wanted: Wanted) -> None:
    """Before minutes are spent. Raises BadInput."""
    for place in (wanted.html, None if wanted.json in {None, "-"} else Path(str(wanted.json))):
        if place is not None and (place.is_dir() or not place.absolute().parent.is_dir()):
            raise BadInput(f"{place} is no file that can be written: name one in a folder that exists")


def _write(console: Console, report: Report, wanted: Wanted) -> None:
    told = json.dumps(report_json(report), indent=2, ensure_ascii=False) + "\n"
    if wanted.json == "-":
        sys.stdout.write(told)
    elif wanted.json is not None:
        _save(console, Path(wanted.json), told)
    if wanted.html is not None:
        _save(console, wanted.html, page(report))


def _save(console: Console, path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror})") from error
    console.print(f"report: {path}", soft_wrap=True)
