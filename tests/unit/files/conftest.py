"""Files of answers, written as the programs of our users write them."""

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest

SPSS_DAY = 86_400  # SPSS counts seconds since the first day of the Gregorian calendar


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of text; `name` says what it is called."""

    def write(text: str | bytes, name: str = "answers.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def workbook_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a workbook with one sheet for each keyword."""

    def write(**sheets: Sequence[Sequence[object]]) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.worksheets[0])
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(list(row))
        path = tmp_path / "answers.xlsx"
        book.save(path)
        return path

    return write


@pytest.fixture
def spss_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes an uncompressed SPSS file: an int variable `id`, a date `day`, a text variable `answer`."""

    def write(rows: Sequence[tuple[float | None, int, str]], width: int = 64) -> Path:
        head = b"$FL2" + b"@(#) SPSS DATA FILE".ljust(60)
        head += struct.pack("<5id", 2, 2 + width // 8, 0, 0, len(rows), 100.0)
        head += b"24 Nov 26" + b"12:00:00" + b" " * 64 + b"\0" * 3
        head += _variable(b"id", 0, (5 << 16) | (8 << 8)) + _variable(b"day", 0, (20 << 16) | (11 << 8))
        head += _variable(b"answer", width, (1 << 16) | (width << 8))
        head += struct.pack("<4i", 7, 20, 1, 5) + b"UTF-8" + struct.pack("<2i", 999, 0)
        body = b"".join(
            struct.pack("<2d", -1.7976931348623157e308 if key is None else key, day * SPSS_DAY)
            + text.encode().ljust(width)
            for key, day, text in rows
        )
        path = tmp_path / "answers.sav"
        path.write_bytes(head + body)
        return path

    return write


def _variable(name: bytes, width: int, form: int) -> bytes:
    record = struct.pack("<6i", 2, width, 0, 0, form, form) + name.upper().ljust(8)
    continued = struct.pack("<6i", 2, -1, 0, 0, form, form) + b" " * 8
    return record + continued * max(0, width // 8 - 1)
