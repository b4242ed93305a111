"""doctor: the checklist on the screen."""

from collections import Counter
from typing import Any

from rich.console import Console
from rich.text import Text

from holdfast.cli.exits import FAILED
from holdfast.cli.queue_looking import write_json
from holdfast.cli.running import Stop, unless_stopped
from holdfast.cli.screen import screen
from holdfast.doctor import NAMES, Level, Line, Report, examined
from holdfast.settings import Settings

STYLES: dict[Level, str] = {"ok": "green", "warn": "yellow", "fail": "bold red"}
LEVEL_WIDTH = len("fail  ")
NAME_WIDTH = max(map(len, NAMES)) + 2
INDENT = LEVEL_WIDTH + NAME_WIDTH


async def show_checklist(settings: Settings, stop: Stop, *, as_json: bool) -> int:
    """`holdfast doctor`."""
    report = await unless_stopped(examined(settings), stop)
    if report is None:
        return stop.exit_code
    if as_json:
        write_json(report_json(report))
    else:
        _print(screen(), report)
    return FAILED if report.level == "fail" else 0


def report_json(report: Report) -> dict[str, Any]:
    """The report as `GET /api/v1/health/ready` gives it."""
    return {
        "level": report.level,
        "seconds": round(report.took.total_seconds(), 3),
        "lines": [
            {"name": line.name, "level": line.level, "figure": line.figure, "fix": line.fix} for line in report.lines
        ],
    }


def _print(console: Console, report: Report) -> None:
    for line in report.lines:
        _print_line(console, line)
    found = Counter(line.level for line in report.lines)
    told = ", ".join(f"{found[level]} {level}" for level in STYLES)
    console.print(Text(f"{told} · docs/how-to/doctor.md says why each matters", style="dim"))


def _print_line(console: Console, line: Line) -> None:
    head = Text.assemble((f"{line.level:<{LEVEL_WIDTH}}", STYLES[line.level]), f"{line.name:<{NAME_WIDTH}}")
    first, *rest = Text(line.figure).wrap(console, max(20, console.width - INDENT))
    console.print(head + first)
    for more in rest:
        console.print(Text(" " * INDENT) + more)
    if line.fix:
        # In one piece: it is there to be pasted.
        console.print(Text(f"{' ' * LEVEL_WIDTH}fix: {line.fix}", style="dim"), soft_wrap=True)
