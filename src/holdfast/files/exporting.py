"""Coded answers go out as a table: csv, xlsx, json or sav, all of it or nothing."""

import errno
import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from holdfast.errors import BadInput
from holdfast.files.export_csv import write_csv
from holdfast.files.export_json import write_json
from holdfast.files.export_rows import Export, ExportRow, FrameRow, code_columns, our_names
from holdfast.files.export_spss import write_spss
from holdfast.files.export_workbook import write_workbook

__all__ = ["ExportRow", "FrameRow", "check_table_path", "is_report", "write_table"]

_WRITERS: Mapping[str, Callable[[BinaryIO, Export], None]] = {
    ".csv": write_csv,
    ".json": write_json,
    ".sav": write_spss,
    ".xlsx": write_workbook,
}
REPORT = ".html"  # written by `write_report`: it shows the codeframe and not every answer
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_table(
    path: Path,
    *,
    columns: Sequence[str],
    rows: Iterable[ExportRow],
    frame: Sequence[FrameRow],
    summary: Mapping[str, str],
    has_code_columns: bool = True,
) -> list[str]:
    """Write the table in the format its ending names; returns what the user should know of it.

    csv, xlsx and sav have one 0/1 column a code unless told otherwise: a table to fill in has none.
    The file appears under its name only when it is whole: a crash leaves what was there before. csv holds the answers
    alone, xlsx has the codeframe and the summary on sheets of their own, json has them as `codeframe` and `summary`,
    sav has the codeframe as the labels of its variables and values.
    Raises BadInput for a path that cannot be written or a table the format cannot hold.
    """
    check_table_path(path)
    notes: list[str] = []
    export = Export(
        columns=columns,
        ours=our_names(columns, notes),
        codes=code_columns(frame if has_code_columns else ()),
        rows=rows,
        frame=frame,
        summary=summary,
        notes=notes,
    )
    with appearing_whole(path) as file:
        _WRITERS[path.suffix.lower()](file, export)
    return notes


def check_table_path(path: Path) -> None:
    """Raise BadInput now for a path that `write_table` or `write_report` would refuse after hours of work."""
    endings = sorted({*_WRITERS, REPORT})
    if path.suffix.lower() not in endings:
        raise BadInput(f"{path.name or path} must end in one of {', '.join(endings)}; that says the format")
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder; name the file to write")
        if not path.parent.is_dir():
            raise BadInput(f"there is no folder {path.parent}; make it first or choose another path")
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links
        raise _unwritable(path, error) from error


def is_report(path: Path) -> bool:
    """Whether the path's ending asks for a report and not for a table."""
    return path.suffix.lower() == REPORT


@contextmanager
def appearing_whole(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its name when the block ends well, and is gone when it does not."""
    target = path.resolve()  # a link keeps pointing where it does
    part = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except (ConnectionError, TimeoutError):  # of whoever gives the rows
        raise
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _unwritable(path: Path, error: OSError | RuntimeError) -> BadInput:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    full = isinstance(error, OSError) and error.errno in _FULL
    return BadInput(f"{path} cannot be written: {reason}; {'make room or ' if full else ''}choose another path")
