"""Tables in SPSS files (sav, zsav), read in chunks of rows."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import count
from pathlib import Path
from typing import Any

import pyreadstat

from holdfast.errors import BadInput
from holdfast.files.source_table import HEAD, Scalar, empty

_CELLS = 500_000  # about so many cells are in memory at once


@dataclass(frozen=True, slots=True, kw_only=True)
class SpssTable:
    """An SPSS file; each chunk is read by its offset."""

    path: Path
    name: str
    header: Sequence[str]
    head: Sequence[Sequence[Scalar]]
    encoding: str | None
    joiner: str = " "
    blank: None = None

    def records(self) -> Iterator[tuple[Scalar, ...]]:
        size = max(1000, _CELLS // len(self.header))
        for offset in count(0, size):
            records = _chunk(self.path, self.name, offset, size)
            yield from records
            if len(records) < size:
                return


def open_spss(path: Path, *, name: str) -> SpssTable:
    """Read the file's dictionary of variables."""
    _, meta = _read(path, name, metadataonly=True)
    if not meta.column_names:
        raise empty(name)
    head = _chunk(path, name, 0, HEAD)
    return SpssTable(path=path, name=name, header=tuple(meta.column_names), head=head, encoding=meta.file_encoding)


def _chunk(path: Path, name: str, offset: int, size: int) -> list[tuple[Scalar, ...]]:
    columns, meta = _read(path, name, row_offset=offset, row_limit=size)
    cells = (columns[title] for title in meta.column_names)
    return [tuple(_scalar(value) for value in values) for values in zip(*cells, strict=True)]


def _read(path: Path, name: str, **options: Any) -> tuple[Any, Any]:
    try:
        return pyreadstat.read_sav(str(path), output_format="dict", **options)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError, OSError) as error:
        raise BadInput(f"{name} cannot be read as an SPSS file ({error}); save it again, as UTF-8") from error


def _scalar(value: object) -> Scalar:
    """The value as JSON can hold it; SPSS knows only doubles, so a whole one is given as an int."""
    match value:
        case str() | None | bool() | int():
            return value
        case float() if math.isnan(value) or math.isinf(value):
            return None
        case float():
            return int(value) if value.is_integer() and abs(value) < 2**53 else value
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)
