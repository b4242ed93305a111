"""A file of JSON lines that is only ever added to, each line on disk before the next one is begun."""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from holdfast.errors import Conflict, JournalBroken

Record: TypeAlias = dict[str, Any]

HEAD: Mapping[str, Any] = {"journal": "holdfast", "version": 1}


class RecordFile:
    """Opens the file, or makes it, and keeps every other process out. Raises Conflict while another has it open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._usable = False
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # flock, not lockf: it also keeps out a second opening by this process, and ends with the process.
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise Conflict(f"{path} is in use by another process, or by this one a second time") from error

    def read(self) -> list[Record]:
        """All records; first of all, and once. Raises JournalBroken for a file that is no journal or was damaged.

        What a kill or a power cut left of the last line is cut off: nobody was told that it is on disk.
        """
        data = self._path.read_bytes()
        whole, records = 0, []
        for line in data.splitlines(keepends=True):
            record = _record(line)
            if record is None:
                break
            records.append(record)
            whole += len(line)
        self._check(data, whole, records)
        if whole < len(data):
            os.ftruncate(self._file, whole)
            os.fsync(self._file)
        self._usable = True
        if not records:
            self._begin()
        return records[1:]

    def append(self, record: Mapping[str, Any]) -> None:
        """Returns when the record is on disk. Raises JournalBroken; only reading it again tells if it is there."""
        if not self._usable:
            raise JournalBroken(f"{self._path} is closed, or could not be written to: open it again")
        line = _line(record)
        # After a failed write or sync nobody knows what is on disk, and no line may follow half a one.
        self._usable = False
        try:
            _write(self._file, line)
            os.fsync(self._file)
        except OSError as error:
            raise JournalBroken(f"{self._path}: {error.strerror}; mend that and open it again") from error
        self._usable = True

    def close(self) -> None:
        """Let others have it. Writes nothing: everything is on disk already."""
        if self._file >= 0:
            os.close(self._file)
        self._file, self._usable = -1, False

    def _check(self, data: bytes, whole: int, records: list[Record]) -> None:
        torn = data[whole:]
        if not (records[0] == HEAD if records else _torn_head(torn)):
            raise JournalBroken(f"{self._path} is no journal of this version of Holdfast; it was left as it is")
        # Every line was on disk before the next was begun, so only the last one can be torn.
        if b"\n" in torn[:-1]:
            raise JournalBroken(f"{self._path} is damaged at byte {whole}, before its last line; it was left as it is")

    def _begin(self) -> None:
        self.append(HEAD)
        folder = os.open(self._path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the file's name is on disk as well
        finally:
            os.close(folder)


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _torn_head(data: bytes) -> bool:
    """Whether this is what is left of the first line: parts of it, with zeros for what did not get there."""
    head = _line(HEAD)
    return len(data) <= len(head) and all(found in (0, byte) for found, byte in zip(data, head, strict=False))


def _record(line: bytes) -> Record | None:
    """None for what is no whole record."""
    if not line.endswith(b"\n"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _write(file: int, line: bytes) -> None:
    left = memoryview(line)
    while left:
        left = left[os.write(file, left) :]
