"""The coded answers as csv: UTF-8 with a byte order mark, which Excel needs and pandas and our own reader skip."""

import codecs
import csv
import io
import re
from typing import BinaryIO

from holdfast.files.export_rows import Cell, Export, joined, plain

# What a spreadsheet takes as the start of a formula when it opens a csv file, full-width forms too.
_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?\s?%?")


def write_csv(file: BinaryIO, export: Export) -> None:
    """Write one line an answer: its own columns, ours, and each code as 0 or 1.

    A text that a spreadsheet would run as a formula gets an apostrophe before it; a number such as -5 does not.
    """
    file.write(codecs.BOM_UTF8)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    out = csv.writer(text, lineterminator="\r\n")  # so that a lone CR or LF inside a cell is quoted as well
    titles = export.codes.titles(export.columns, export.notes)
    out.writerow([safe(name) for name in (*export.columns, *export.ours, *titles)])
    for row in export.rows:
        own = [safe(value) for value in row.values]
        ours = [safe(row.theme), safe(row.code), safe(joined(row.codes)), row.score]
        out.writerow([*own, *ours, *export.codes.values(row.codes)])
    text.flush()
    text.detach()  # the file stays open: its owner closes it


def safe(value: object) -> Cell:
    """The cell as a spreadsheet can open it without running it."""
    cell = plain(value)
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell
