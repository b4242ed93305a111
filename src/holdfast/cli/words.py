"""How figures and texts are said."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

PHASES = {
    None: "waiting for a worker",
    "prepare": "reading the answers",
    "whole": "reading the answers at once",
    "embed": "embedding the answers",
    "cluster": "clustering",
    "label": "labelling clusters",
    "review": "reviewing the codeframe",
    "draft": "building the codeframe",
    "code": "coding the answers",
    "assemble": "building the codeframe",
}


def dollars(amount: Decimal) -> str:
    """Money, to the cent, or finer while it is less than a dollar."""
    return f"${amount:.2f}" if amount >= 1 or amount == 0 else f"${amount:.4f}"


def duration(seconds: float) -> str:
    """A length of time as one says it."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return str(timedelta(minutes=minutes))[:-3] + " h"


def counted(number: int, what: str, many: str | None = None) -> str:
    """A number and what it counts: 1 code, 2 codes."""
    return f"{number:,} {what if number == 1 else many or what + 's'}"


def plain(text: str, most: int = 1000) -> str:
    """One line of a stranger's text without anything that could move a terminal's cursor, cut to `most` characters."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text[: most * 2]).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def written(path: Path) -> str:
    """What a command has written there, by its ending."""
    return "report" if path.suffix.lower() == ".html" else "coded table"
