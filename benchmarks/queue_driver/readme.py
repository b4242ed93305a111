"""Tables between two markers of benchmarks/README.md."""

from collections.abc import Sequence
from pathlib import Path

NO_RESULTS = "Not measured yet."
NOTHING = "–"  # noqa: RUF001 - no figure, in a cell
README = Path(__file__).resolve().parents[1] / "README.md"


def listed(text: str) -> list[str]:
    """An argument of names with commas between them."""
    return text.split(",")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def written(name: str, text: str) -> str:
    """The README with this text between the markers of that name."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    readme = README.read_text(encoding="utf-8")
    before, _, rest = readme.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{README.name} has no markers {begin} and {end}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def write(name: str, text: str) -> None:
    README.write_text(written(name, text), encoding="utf-8")


def is_current(name: str, text: str) -> bool:
    return README.read_text(encoding="utf-8") == written(name, text)


def tell(name: str, text: str, *, check: bool, script: str) -> None:
    """Put the text into the README, or only make sure that it is there."""
    if not check:
        write(name, text)
    elif not is_current(name, text):
        raise SystemExit(f"benchmarks/README.md is out of date; run: python benchmarks/{script} --table")


def number(value: float | None) -> str:
    """A figure as the tables show it: three significant digits, thousands with a comma."""
    if value is None:
        return NOTHING
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"
