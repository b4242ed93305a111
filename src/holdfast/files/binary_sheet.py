"""A worksheet whose rows can end in 0s and 1s written at once: cell by cell, a large table's millions take minutes."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

_letters = cache(xl_col_to_name)


class BinarySheet(Worksheet):  # type: ignore[misc] # xlsxwriter is not typed
    """A worksheet for `constant_memory`, where xlsxwriter writes a row when it gets the next one's first cell."""

    def __init__(self) -> None:
        super().__init__()
        self._end = ""  # cells of the row that comes next into the file

    def end_row(self, row: int, column: int, values: Sequence[int], form: Any) -> None:
        """Have the row, of which a cell was just written, end in these 0s and 1s from the column on, both from 0.

        Raises RuntimeError if xlsxwriter left those of the row before out: its insides changed.
        """
        if self._end:
            raise RuntimeError("this version of xlsxwriter writes rows otherwise: columns would be lost; install 3.3.1")
        style = form._get_xf_index()  # noqa: SLF001 - as Worksheet itself
        cells = (f'<c r="{_letters(at)}{row + 1}" s="{style}"><v>{n}</v></c>' for at, n in enumerate(values, column))
        self._end = "".join(cells)

    def _xml_end_tag(self, tag: str) -> None:
        if tag == "row" and self._end:
            self.fh.write(self._end)
            self._end = ""
        super()._xml_end_tag(tag)
