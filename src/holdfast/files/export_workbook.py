"""The coded answers as an Excel workbook: the sheets answers, codeframe and summary."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO

import xlsxwriter

from holdfast.errors import BadInput
from holdfast.files.export_rows import FRAME_COLUMNS, Cell, Export, joined, plain

LONGEST_CELL = 32_767  # Excel's limits: UTF-16 units in a cell, rows and columns on a sheet
MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384

_EXACT = 10**15  # Excel keeps 15 digits of a number; ids with more stay text


def write_workbook(file: BinaryIO, export: Export) -> None:
    """Write the three sheets row by row; no text becomes a formula or a link.

    Raises BadInput for more rows or columns than a sheet holds.
    """
    if len(export.columns) + len(export.ours) > MOST_COLUMNS:
        raise BadInput(f"an Excel sheet holds {MOST_COLUMNS:,} columns; write this table as csv or json")
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    answers, codeframe, summary = (_Sheet(book, name) for name in ("answers", "codeframe", "summary"))
    answers.write([*export.columns, *export.ours], _answer_rows(export))
    codeframe.write(FRAME_COLUMNS, (row.cells for row in export.frame), widths=(8, 6, 30, 30, 60, 9, 8, 80))
    summary.write(("what", "value"), export.summary.items(), widths=(20, 60))
    book.close()
    cut = answers.cut + codeframe.cut + summary.cut
    if cut:
        cells = "1 cell was" if cut == 1 else f"{cut:,} cells were"
        export.notes.append(f"{cells} cut: Excel holds {LONGEST_CELL:,} characters in one; csv and json keep all")


def _answer_rows(export: Export) -> Iterable[Sequence[object]]:
    for row in export.rows:
        yield (*row.values, row.theme, row.code, joined(row.codes), row.score)


class _Sheet:
    """A sheet written from top to bottom, with a header that stays in sight."""

    def __init__(self, book: Any, name: str) -> None:
        self.cut = 0  # cells that were too long
        self._sheet = book.add_worksheet(name)
        self._bold = book.add_format({"bold": True})

    def write(self, header: Sequence[str], rows: Iterable[Sequence[object]], *, widths: Sequence[int] = ()) -> None:
        self._sheet.freeze_panes(1, 0)
        for column, width in enumerate(widths):
            self._sheet.set_column(column, column, width)
        for column, name in enumerate(header):
            self._sheet.write_string(0, column, self._fitted(str(plain(name))), self._bold)
        for number, row in enumerate(rows, start=1):
            if number >= MOST_ROWS:
                raise BadInput(f"an Excel sheet holds {MOST_ROWS - 1:,} answers; write this table as csv or json")
            for column, value in enumerate(row):
                self._put(number, column, plain(value))

    def _put(self, row: int, column: int, cell: Cell) -> None:
        put: Callable[..., object]
        match cell:
            case None | "":
                return
            case bool():
                put = self._sheet.write_boolean
            case int() | float() if abs(cell) < _EXACT:
                put = self._sheet.write_number
            case _:
                put, cell = self._sheet.write_string, self._fitted(str(cell))
        put(row, column, cell)

    def _fitted(self, text: str) -> str:
        """The text as long as a cell may be."""
        if text.startswith("<r>") and text.endswith("</r>"):
            text += " "  # xlsxwriter would write it into the file as markup
        if len(text) <= LONGEST_CELL // 2:
            return text
        units = text.encode("utf-16-le")
        if len(units) <= 2 * LONGEST_CELL:
            return text
        self.cut += 1
        return units[: 2 * LONGEST_CELL].decode("utf-16-le", "ignore")
