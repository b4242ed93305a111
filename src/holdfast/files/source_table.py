"""What every reader of a file gives: a header and its records, as they stand in the file."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeAlias

from holdfast.errors import BadInput

Scalar: TypeAlias = str | int | float | bool | None  # what a cell may hold: JSON can say it


HEAD = 200  # records in a table's head


class Notes(list[str]):
    """What was repaired or decided while reading, in words for the user; each is said once."""

    def say(self, note: str) -> None:
        if note not in self:
            self.append(note)


class Table(Protocol):
    """A file opened as a table: its header was read, its records are read as often as one asks."""

    @property
    def header(self) -> Sequence[str]: ...

    @property
    def head(self) -> Sequence[Sequence[Scalar]]: ...  # the first records, to guess from

    @property
    def encoding(self) -> str | None: ...

    @property
    def joiner(self) -> str: ...  # what stood between two cells: puts a row with too many together again

    @property
    def blank(self) -> Scalar: ...  # what a cell holds that the record does not have

    def records(self) -> Iterator[Sequence[Scalar]]: ...


def empty(name: str) -> BadInput:
    """The error for a file with nothing in it."""
    return BadInput(f"{name} is empty: it needs a row of column names and at least one row of answers")


def squared(records: Iterator[Sequence[Scalar]], table: Table, notes: Notes) -> Iterator[tuple[Scalar, ...]]:
    """The records without NUL characters and each as wide as the header, nothing of them lost."""
    width = len(table.header)
    longer = shorter = 0
    for record in records:
        values = tuple(record)
        if len(values) < width:
            shorter += 1
            values += (table.blank,) * (width - len(values))
        elif len(values) > width:
            longer += any(cell not in (None, "") for cell in values[width:])
            values = _folded(values, width, table.joiner)
        if any(isinstance(cell, str) and "\0" in cell for cell in values):
            notes.say("NUL characters were removed")
            values = tuple(cell.replace("\0", "") if isinstance(cell, str) else cell for cell in values)
        yield values
    if longer:
        notes.say(f"{_rows(longer)} more cells than the header; what was beyond was joined to the last column")
    if shorter and table.blank is not None:  # a workbook leaves empty cells at the end of a row out
        notes.say(f"{_rows(shorter)} fewer cells than the header; the missing ones were taken as empty")


def _folded(values: tuple[Scalar, ...], width: int, joiner: str) -> tuple[Scalar, ...]:
    beyond = list(values[width:])
    while beyond and beyond[-1] in (None, ""):
        beyond.pop()
    if not beyond:
        return values[:width]
    cells = ["" if cell is None else str(cell) for cell in (values[width - 1], *beyond)]
    return (*values[: width - 1], joiner.join(cells))


def _rows(count: int) -> str:
    return "1 row had" if count == 1 else f"{count:,} rows had"
