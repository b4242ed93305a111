"""Tables in Excel workbooks (xlsx), read row by row."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.escape import unescape
from openpyxl.utils.exceptions import InvalidFileException

from holdfast.errors import BadInput
from holdfast.files.source_table import HEAD, Notes, Scalar, empty

# What openpyxl lets through when parts of the archive are missing or are no XML (ParseError is a SyntaxError).
_DAMAGE = (
    zipfile.BadZipFile,
    InvalidFileException,
    zlib.error,
    SyntaxError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbookTable:
    """One sheet of a workbook; the file is opened anew for each reading."""

    path: Path
    name: str
    sheet: str
    header: Sequence[str]
    head: Sequence[Sequence[Scalar]]
    notes: Notes
    encoding: None = None
    joiner: str = " "
    blank: None = None

    def records(self) -> Iterator[list[Scalar]]:
        with _opened(self.path, self.name) as book:
            yield from islice(_rows(book[self.sheet], self.notes), 1, None)


def open_workbook(path: Path, *, name: str, sheet: str | None, notes: Notes) -> WorkbookTable:
    """Choose the sheet: the named one, else the first that has a row in it."""
    with _opened(path, name) as book:
        titles = [each.title for each in book.worksheets]
        for title in [_chosen(sheet, titles, name)] if sheet else titles:
            records = list(islice(_rows(book[title], Notes()), HEAD + 1))
            if not records:
                continue
            if len(titles) > 1 and not sheet:
                others = ", ".join(repr(other) for other in titles if other != title)
                notes.say(f"the sheet {title!r} was read; the workbook also has {others}")
            return WorkbookTable(
                path=path, name=name, sheet=title, header=_header(records[0]), head=records[1:], notes=notes
            )
    raise empty(f"the sheet {sheet!r} of {name}" if sheet else name)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[Any]:
    """The workbook, without its formulas: cells hold the values that were saved with them."""
    try:
        with path.open("rb") as file, closing(openpyxl.load_workbook(file, read_only=True, data_only=True)) as book:
            yield book
    except OSError as error:
        raise BadInput(f"{name} cannot be read: {error.strerror or error}") from error
    except _DAMAGE as error:
        raise BadInput(f"{name} is damaged and cannot be read as a workbook ({error}); save it again") from error


def _chosen(sheet: str, titles: Sequence[str], name: str) -> str:
    for title in titles:
        if title == sheet:
            return title
    for title in titles:
        if title.casefold() == sheet.casefold():
            return title
    raise BadInput(f"{name} has no sheet {sheet!r}; its sheets are: {', '.join(titles)}")


def _rows(sheet: Any, notes: Notes) -> Iterator[list[Scalar]]:
    """The sheet's rows as JSON scalars; rows with nothing in them, which formatting leaves behind, are left out."""
    sheet.reset_dimensions()  # some programs write the wrong size into the file
    blank = False
    for cells in sheet.iter_rows(values_only=True):
        if all(cell is None for cell in cells):
            blank = True
            continue
        if blank:
            notes.say("blank rows were skipped")
            blank = False
        yield [scalar(cell) for cell in cells]


def scalar(cell: object) -> Scalar:
    """The cell's value as JSON can hold it: dates and times in ISO 8601."""
    match cell:
        case str():
            return unescape(cell) if "_x" in cell else cell  # Excel writes control characters as _x000D_
        case None | bool() | int() | float():
            return cell
        case datetime() if cell.time() == time():
            return cell.date().isoformat()  # Excel has one type for both; midnight is how it keeps a day
        case datetime() | date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
        case _:
            return str(cell)


def _header(cells: Sequence[Scalar]) -> list[str]:
    names = ["" if cell is None else str(cell) for cell in cells]
    while names and not names[-1].strip():
        names.pop()
    return names
