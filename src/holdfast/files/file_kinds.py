"""Which kind of table a file is: by what it holds where that is sure, else by the end of its name."""

import zipfile
from pathlib import Path
from typing import Literal, TypeAlias

from holdfast.errors import BadInput
from holdfast.files.source_table import empty

Kind: TypeAlias = Literal["text", "gzip", "workbook", "spss"]

KNOWN = "csv, tsv (also .csv.gz and .tsv.gz), xlsx and sav"

_SIGNS: tuple[tuple[bytes, Kind], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"$FL2", "spss"),
    (b"$FL3", "spss"),
)
_FOREIGN = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x7fELF", "a program"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "a database"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"7z\xbc\xaf", "a 7-zip archive"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Office files before 2007, and the wrapper around an encrypted workbook
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def kind_of(path: Path, name: str) -> Kind:
    """The kind of the file at `path`, called `name` by the user.

    Raises BadInput for a file that is missing, empty, no file, or no table.
    """
    head = _head(path, name)
    for sign, kind in _SIGNS:
        if head.startswith(sign):
            return kind
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(path, name)
    if head.startswith(_OLE):
        raise _ole(path, name)
    for sign, what in _FOREIGN:
        if head.startswith(sign):
            raise BadInput(f"{name} is {what}, not a table; save the answers as one of {KNOWN}")
    _check_ending(name)
    return "text"


def _head(path: Path, name: str) -> bytes:
    if path.is_dir():
        raise BadInput(f"{name} is a folder; name the file with the answers in it")
    if not path.exists():
        raise BadInput(f"there is no file {name}; check the path")
    if not path.is_file():
        raise BadInput(f"{name} is a pipe or a device; save the answers to a file first, it is read more than once")
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise BadInput(f"{name} cannot be read: {error.strerror}") from error
    if not head:
        raise empty(name)
    return head


def _zip_kind(path: Path, name: str) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadInput(f"{name} is damaged and cannot be opened ({error}); export it again") from error
    if "xl/workbook.xml" in names or "[Content_Types].xml" in names:
        return "workbook"
    if "mimetype" in names and "content.xml" in names:
        raise BadInput(f"{name} is an OpenDocument file; save it as xlsx or csv")
    raise BadInput(f"{name} is a zip archive; unpack it and name the table in it")


def _ole(path: Path, name: str) -> BadInput:
    # The name of the encrypted stream stands in the directory, which may be anywhere in the file.
    tail = b""
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            if _ENCRYPTED in tail + block:
                return BadInput(f"{name} is protected by a password; save a copy without one and use that")
            tail = block[-len(_ENCRYPTED) :]
    return BadInput(f"{name} is in the old Office format (.xls); save it as xlsx or csv")


def _check_ending(name: str) -> None:
    if name.lower().endswith((".xlsx", ".xlsm")):
        raise BadInput(f"{name} is named like a workbook but is none; if it is text, rename it to .csv")
    if name.lower().endswith((".sav", ".zsav")):
        raise BadInput(f"{name} is named like an SPSS file but is none; export it again")
    if name.lower().endswith(".gz"):
        raise BadInput(f"{name} is named like a gzip file but is none; if it is text, take off the .gz")
