"""Bytes to text: which encoding a whole file is in, found before a row of it is used."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from holdfast.errors import BadInput

_BLOCK = 1 << 20
_BOMS = (  # the longer ones first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ESCAPED = re.compile("[\udc80-\udcff]")  # how `surrogateescape` keeps a byte that is no UTF-8
_CP1252 = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}
_CONTROLS = bytes(set(range(32)) - set(b"\0\t\n\v\f\r\x1a\x1b"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextForm:
    """How to turn a file's bytes into text without ever failing half-way."""

    encoding: str  # the codec's name
    errors: str = "replace"  # the codec's way with bytes it does not know
    note: str | None = None  # what to tell the user

    def mend(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines, with each byte that is no UTF-8 read as Windows-1252."""
        if self.errors != "surrogateescape":
            return iter(lines)
        return (line if line.isascii() else _mended(line) for line in lines)


def find_form(file: BinaryIO, name: str) -> TextForm:
    """Read the file to its end and say how to decode it.

    UTF-8 with or without a byte order mark, UTF-16 and UTF-32 with one, UTF-16 that shows by its zero bytes, else
    Windows-1252. A file that is UTF-8 but for some bytes is read as UTF-8, those bytes as Windows-1252.
    """
    head = file.read(_BLOCK)
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return _marked(head, file, encoding)
    bare = _bare_utf16(head)
    if bare:
        return TextForm(encoding=bare, note="the file is UTF-16 without a byte order mark; it was read as that")
    _refuse_binary(head, name)
    return _unmarked(head, file)


def _marked(head: bytes, file: BinaryIO, encoding: str) -> TextForm:
    if encoding != "utf-8-sig":
        return TextForm(encoding=encoding)
    _, bad = _count(head, file)
    return _mixed(encoding, bad) if bad else TextForm(encoding=encoding)


def _unmarked(head: bytes, file: BinaryIO) -> TextForm:
    good, bad = _count(head, file)
    if not bad:
        return TextForm(encoding="utf-8")
    if good > bad:
        return _mixed("utf-8", bad)
    return TextForm(
        encoding="cp1252",
        note="the file is not UTF-8; it was read as Windows-1252 (cp1252). "
        "If letters with accents look wrong, save it as UTF-8 and import it again",
    )


def _mixed(encoding: str, bad: int) -> TextForm:
    note = f"the file is UTF-8 but for {bad:,} byte{'s' if bad > 1 else ''}; those were read as Windows-1252 (cp1252)"
    return TextForm(encoding=encoding, errors="surrogateescape", note=note)


def _mended(line: str) -> str:
    return line.translate(_CP1252) if _ESCAPED.search(line) else line


def _count(head: bytes, file: BinaryIO) -> tuple[int, int]:
    """How many characters beyond ASCII the file holds as UTF-8, and how many bytes that are none."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    block = head
    while True:
        text = decoder.decode(block, final=not block)
        if not text.isascii():
            wrong = len(_ESCAPED.findall(text))
            bad += wrong
            good += len(text) - len(text.encode("ascii", "ignore")) - wrong
        if not block:
            return good, bad
        block = file.read(_BLOCK)


def _bare_utf16(head: bytes) -> str | None:
    sample = head[: len(head) // 2 * 2]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if half < 2:
        return None
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _refuse_binary(head: bytes, name: str) -> None:
    controls = len(head) - len(head.translate(None, _CONTROLS))
    zeros = head.count(0)
    if controls > max(16, 0.05 * len(head)) or zeros > 0.3 * len(head):
        raise BadInput(f"{name} is not a table: it holds bytes that are no text; save the answers as csv or xlsx")
