"""Coded answers go out as a table: csv, xlsx or json, all of it or nothing."""

import errno
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from holdfast.errors import BadInput
from holdfast.files.export_csv import write_csv
from holdfast.files.export_json import write_json
from holdfast.files.export_rows import Export, ExportRow, FrameRow, our_names
from holdfast.files.export_workbook import write_workbook

__all__ = ["ExportRow", "FrameRow", "check_table_path", "write_table"]

_WRITERS: Mapping[str, Callable[[BinaryIO, Export], None]] = {
    ".csv": write_csv,
    ".json": write_json,
    ".xlsx": write_workbook,
}
_OURS_TO_SAY = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM})


def write_table(
    path: Path,
    *,
    columns: Sequence[str],
    rows: Iterable[ExportRow],
    frame: Sequence[FrameRow],
    summary: Mapping[str, str],
) -> list[str]:
    """Write the table in the format its ending names; returns what the user should know of it.

    The file appears under its name only when it is whole: a crash leaves what was there before. csv holds the answers
    alone, xlsx has the codeframe and the summary on sheets of their own, json has them as `codeframe` and `summary`.
    Raises BadInput for a path that cannot be written or a table the format cannot hold.
    """
    check_table_path(path)
    notes: list[str] = []
    export = Export(
        columns=columns, ours=our_names(columns, notes), rows=rows, frame=frame, summary=summary, notes=notes
    )
    with _appearing_whole(path) as file:
        _WRITERS[path.suffix.lower()](file, export)
    return notes


def check_table_path(path: Path) -> None:
    """Raise BadInput now for a path that `write_table` would refuse after hours of work."""
    if path.suffix.lower() not in _WRITERS:
        raise BadInput(f"{path.name or path} must end in one of {', '.join(sorted(_WRITERS))}; that says the format")
    if path.is_dir():
        raise BadInput(f"{path} is a folder; name the file to write")
    if not path.parent.is_dir():
        raise BadInput(f"there is no folder {path.parent}; make it first or choose another path")


@contextmanager
def _appearing_whole(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its name when the block ends well, and is gone when it does not."""
    target = path.resolve()  # a link keeps pointing where it does
    part = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        if error.errno not in _OURS_TO_SAY:
            raise
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
