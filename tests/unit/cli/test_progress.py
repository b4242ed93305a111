"""How far a generation is, in a terminal and in a file."""

import io

from rich.console import Console
from tests.unit.cli.statuses import status

from holdfast.cli.progress import details, view


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_clusters_cost_and_time_left_are_told() -> None:
    assert details(status()) == "9 of 22 clusters · $1.50 · about 12 s left"
    assert details(status(n_failed=1)) == "9 of 22 clusters, 1 failed · $1.50 · about 12 s left"
    assert details(status(status="completed")) == "9 of 22 clusters · $1.50"
    assert details(status(n_clusters=0, eta_seconds=None)) == "$1.50"


def test_a_file_gets_a_line_a_stage_and_not_one_a_look() -> None:
    console = Console(file=io.StringIO(), width=100)

    with view(console, silent=False) as shown:
        for looked in (status(), status(), status(n_completed=10), status(phase="assemble", progress=90)):
            shown.show(looked)
        shown.say("PostgreSQL is away")

    assert said(console).splitlines() == [
        " 66 %  labelling clusters · 9 of 22 clusters · $1.50 · about 12 s left",
        " 90 %  building the codeframe · 9 of 22 clusters · $1.50 · about 12 s left",
        "PostgreSQL is away",
    ]


def test_a_terminal_gets_a_bar() -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=True)

    with view(console, silent=False) as shown:
        shown.show(status())

    assert "labelling clusters" in said(console)
    assert "66 %" in said(console)


def test_silence_is_kept_but_for_what_the_user_must_know() -> None:
    console = Console(file=io.StringIO(), width=100)

    with view(console, silent=True) as shown:
        shown.show(status())
        shown.say("stopping")

    assert said(console) == "stopping\n"
