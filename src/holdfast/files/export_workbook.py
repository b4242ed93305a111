"""The coded answers as an Excel workbook: the sheets answers, codeframe and summary."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, BinaryIO

from holdfast.errors import BadInput
from holdfast.files.export_rows import FRAME_COLUMNS, Cell, Export, joined, plain

LONGEST_CELL = 32_767  # Excel's limits: UTF-16 units in a cell, rows and columns on a sheet
MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384

_EXACT = 10**15  # Excel keeps 15 digits of a number; ids with more stay text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """How a column looks."""

    width: int  # characters
    number: str = "General"
    wraps: bool = False


_FRAME_LOOKS = (
    _Look(width=9), _Look(width=7), _Look(width=30, wraps=True), _Look(width=34, wraps=True),
    _Look(width=60, wraps=True), _Look(width=10, number="#,##0"), _Look(width=9, number="0.0%"),
    _Look(width=80, wraps=True),
)  # fmt: skip
_OUR_LOOKS = (
    _Look(width=30, wraps=True), _Look(width=34, wraps=True), _Look(width=44, wraps=True), _Look(width=8, number="0.00")
)  # fmt: skip
_CODE_LOOK = _Look(width=14)
_SUMMARY_LOOKS = (_Look(width=20), _Look(width=60, wraps=True))

_PEEKED = 100  # rows whose cells say how wide the file's own columns are
_WIDEST = 60


def write_workbook(file: BinaryIO, export: Export) -> None:
    """Write the three sheets row by row; no text becomes a formula or a link.

    Raises BadInput for more rows or columns than a sheet holds.
    """
    import xlsxwriter  # noqa: PLC0415 - slow to import, as the next

    from holdfast.files.binary_sheet import BinarySheet  # noqa: PLC0415

    titles = export.codes.titles(export.columns, export.notes)
    header = [*export.columns, *export.ours, *titles]
    if len(header) > MOST_COLUMNS:
        raise BadInput(f"an Excel sheet holds {MOST_COLUMNS:,} columns; write this table as csv or json")
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    names = ("answers", "codeframe", "summary")
    answers, codeframe, summary = (_Sheet(book, book.add_worksheet(name, BinarySheet)) for name in names)
    rows = iter(_answer_rows(export))
    first = list(islice(rows, _PEEKED))
    own = [_look_of(name, [row[column] for row in first]) for column, name in enumerate(export.columns)]
    looks = [*own, *_OUR_LOOKS, *[_CODE_LOOK] * len(titles)]
    answers.write(header, chain(first, rows), looks=looks, n_binary=len(titles))
    codeframe.write(FRAME_COLUMNS, (row.cells for row in export.frame), looks=_FRAME_LOOKS, is_strong=_is_theme)
    summary.write(("what", "value"), _summary_rows(export), looks=_SUMMARY_LOOKS)
    book.close()
    cut = answers.cut + codeframe.cut + summary.cut
    if cut:
        cells = "1 cell was" if cut == 1 else f"{cut:,} cells were"
        export.notes.append(f"{cells} cut: Excel holds {LONGEST_CELL:,} characters in one; csv and json keep all")


def _look_of(name: str, cells: Iterable[object]) -> _Look:
    """Of a column of the file's own: as wide as its first cells, and wrapped if they are long."""
    longest = max([len(str(plain(cell))) for cell in cells if cell is not None], default=0)
    return _Look(width=min(max(longest, len(name), 6), _WIDEST) + 2, wraps=longest > _WIDEST)


def _is_theme(cells: Sequence[object]) -> bool:
    return not cells[FRAME_COLUMNS.index("code")]


def _summary_rows(export: Export) -> Iterable[Sequence[object]]:
    for what, value in export.summary.items():
        if value:
            yield what, int(value) if value.isdecimal() else value


def _answer_rows(export: Export) -> Iterable[Sequence[object]]:
    for row in export.rows:
        yield (*row.values, row.theme, row.code, joined(row.codes), row.score, *export.codes.values(row.codes))


class _Sheet:
    """A sheet written from top to bottom, with a header that stays in sight and can filter."""

    def __init__(self, book: Any, sheet: Any) -> None:
        self.cut = 0  # cells that were too long
        self._book = book
        self._forms: dict[tuple[_Look, bool], Any] = {}
        self._sheet = sheet

    def write(
        self,
        header: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        looks: Sequence[_Look],
        is_strong: Callable[[Sequence[object]], bool] = lambda _: False,
        n_binary: int = 0,
    ) -> None:
        """`n_binary`: so many of the last columns hold nothing but 0 and 1."""
        self._write_header(header, looks)
        plain_forms, strong_forms = ([self._form(look, bold=bold) for look in looks] for bold in (False, True))
        number, n_other = 0, len(header) - n_binary
        for number, row in enumerate(rows, start=1):
            if number >= MOST_ROWS:
                raise BadInput(f"an Excel sheet holds {MOST_ROWS - 1:,} answers; write this table as csv or json")
            forms = strong_forms if is_strong(row) else plain_forms
            for column, value in enumerate(row[:n_other]):
                self._put(number, column, plain(value), forms[column])
            if n_binary:
                self._sheet.end_row(number, n_other, row[n_other:], forms[-1])
        self._sheet.autofilter(0, 0, number, len(header) - 1)

    def _write_header(self, header: Sequence[str], looks: Sequence[_Look]) -> None:
        form = self._book.add_format(
            {"bold": True, "bottom": 1, "bg_color": "#E8EDF3", "valign": "top", "text_wrap": True}
        )
        self._sheet.freeze_panes(1, 0)
        for column, (name, look) in enumerate(zip(header, looks, strict=True)):
            self._sheet.set_column(column, column, look.width)
            self._sheet.write_string(0, column, self._fitted(str(plain(name))), form)

    def _form(self, look: _Look, *, bold: bool) -> Any:
        if (look, bold) not in self._forms:
            form = {"bold": bold, "num_format": look.number, "text_wrap": look.wraps, "valign": "top"}
            self._forms[look, bold] = self._book.add_format(form)
        return self._forms[look, bold]

    def _put(self, row: int, column: int, cell: Cell, form: Any) -> None:
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
        put(row, column, cell, form)

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
