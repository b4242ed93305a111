"""SPSS's system file (sav): a dictionary of variables, then the cases in its bytecode, as PSPP's manual describes it.

Written here and not by pyreadstat, which reads these files for us: that wants the whole table in memory as a pandas or
polars frame, and knows no multiple response sets.
"""

import re
import struct
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO, Literal, TypeAlias

Value: TypeAlias = str | float | None

LONGEST_TEXT = 32_767  # bytes of a cell
LONGEST_NAME, LONGEST_LABEL, LONGEST_VALUE_LABEL = 64, 255, 120  # bytes
BIAS = 100  # a whole number from -99 to 151 is the opcode that is so much larger
RAW, BLANK, MISSING = 253, 254, 255  # opcodes: eight bytes follow | eight spaces | no number
SEGMENT = 255  # bytes of a longer text that one of the variables behind it holds
_DECLARED = 252  # bytes that SPSS counts for it all the same, since its version 13

_MEASURES = {"nominal": 1, "ordinal": 2, "scale": 3}
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905 - the file's, in any locale
_RESERVED = frozenset("ALL AND BY EQ GE GT LE LT NE NOT OR TO WITH".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One column."""

    name: str  # as `variable_names` makes them
    label: str = ""
    width: int = 0  # bytes of a text, at most LONGEST_TEXT; 0: numbers
    decimals: int = 0  # shown of a number
    values: Mapping[int, str] = field(default_factory=dict)  # what its numbers mean
    measure: Literal["nominal", "ordinal", "scale"] = "nominal"

    @property
    def segments(self) -> list[int]:
        """The widths of the variables that hold it in the file."""
        if self.width <= SEGMENT:
            return [self.width]
        n = -(-self.width // _DECLARED)
        return [*[SEGMENT] * (n - 1), self.width - (n - 1) * _DECLARED]

    @property
    def cells(self) -> int:
        """How many eight bytes each case has for it."""
        return sum(_eights(width) for width in self.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSet:
    """Variables that count where they are 1: the answers to one question with several answers."""

    name: str  # begins with $
    label: str
    places: Sequence[int]  # of its variables, two at least


def write_dictionary(
    file: BinaryIO, variables: Sequence[Variable], *, sets: Sequence[ResponseSet], n_cases: int, label: str
) -> None:
    """All that comes before the cases."""
    now = datetime.now(UTC)
    head = b"$FL2" + b"@(#) SPSS DATA FILE - Holdfast".ljust(60)
    head += struct.pack("<5id", 2, sum(each.cells for each in variables), 1, 0, n_cases, float(BIAS))
    date = f"{now.day:02} {_MONTHS[now.month - 1]} {now.year % 100:02}{now:%H:%M:%S}"
    file.write(head + date.encode() + clipped(label, 64).ljust(64) + b"\0" * 3)
    shorts: list[str] = []  # of each variable's first segment; the others follow it
    places: list[int] = []  # where it begins in a case, from 1
    count, place = 0, 1
    for each in variables:
        shorts.append(_short(count))
        places.append(place)
        for width in each.segments:
            file.write(_variable(each, width, name=_short(count), is_first=_short(count) == shorts[-1]))
            count, place = count + 1, place + _eights(width)
    _write_value_labels(file, variables, places)
    file.write(_extension(3, 4, struct.pack("<8i", 1, 0, 0, -1, 1, 1, 2, 65001)))
    _write_sets(file, sets, shorts)
    file.write(_extension(11, 4, b"".join(_display(each) for each in variables)))
    names = "\t".join(f"{short}={each.name}" for short, each in zip(shorts, variables, strict=True))
    file.write(_extension(13, 1, names.encode()))
    long = [(s, each.width) for s, each in zip(shorts, variables, strict=True) if each.width > SEGMENT]
    if long:
        file.write(_extension(14, 1, "".join(f"{short}={width:05}\0\t" for short, width in long).encode()))
    file.write(_extension(20, 1, b"UTF-8") + struct.pack("<2i", 999, 0))


def case(variables: Sequence[Variable], values: Sequence[Value]) -> bytes:
    """One row; a text is cut to its variable's width, None is SPSS's missing number or an empty text."""
    opcodes, raw = bytearray(), bytearray()
    for variable, value in zip(variables, values, strict=True):
        if variable.width:
            text = _in_segments(clipped(value, variable.width) if isinstance(value, str) else b"")
            full = _eights(len(text)) if text else 0
            opcodes += bytes([RAW]) * full + bytes([BLANK]) * (variable.cells - full)
            raw += text.ljust(8 * full)
        elif value is None or isinstance(value, str):
            opcodes.append(MISSING)
        elif isinstance(value, int) and 1 <= value + BIAS < 252:
            opcodes.append(value + BIAS)
        else:
            opcodes.append(RAW)
            raw += struct.pack("<d", value)
    opcodes += bytes(-len(opcodes) % 8)  # 0 says nothing: the next case begins with eight opcodes of its own
    parts, read = [], 0
    for start in range(0, len(opcodes), 8):
        eight = opcodes[start : start + 8]
        end = read + 8 * eight.count(RAW)
        parts += [eight, raw[read:end]]
        read = end
    return b"".join(parts)


def variable_names(wanted: Iterable[str]) -> list[str]:
    """Names that SPSS takes and tells apart: of letters, digits and `._$#@`, a letter first, 64 bytes at most."""
    taken, names = set(_RESERVED), []
    for each in wanted:
        kept = re.sub(r"[^\w.$#@]", "_", unicodedata.normalize("NFC", each))
        stem = kept if kept[:1].isalpha() else f"v_{kept}"
        name, number = _cut_name(stem, LONGEST_NAME), 1
        while name.upper() in taken:
            number += 1
            name = f"{_cut_name(stem, LONGEST_NAME - len(str(number)) - 1)}_{number}"
        taken.add(name.upper())
        names.append(name)
    return names


def clipped(text: str, most: int) -> bytes:
    """The text as UTF-8 in so many bytes at most, without half a character."""
    encoded = text.encode("utf-8", "replace")
    return encoded if len(encoded) <= most else encoded[:most].decode("utf-8", "ignore").encode()


def _cut_name(name: str, most: int) -> str:
    return clipped(name, most).decode().rstrip("._") or "v"


def _eights(n_bytes: int) -> int:
    return max(1, -(-n_bytes // 8))


def _short(place: int) -> str:
    return f"V{place:07}"


def _in_segments(text: bytes) -> bytes:
    """A long text as it lies in its segments: each of 255 bytes is filled up to 256."""
    if len(text) <= SEGMENT:
        return text
    return b" ".join(text[start : start + SEGMENT] for start in range(0, len(text), SEGMENT))


def _variable(each: Variable, width: int, *, name: str, is_first: bool) -> bytes:
    shown = (1 << 16) | (width << 8) if width else (5 << 16) | (16 << 8) | each.decimals
    label = clipped(each.label, LONGEST_LABEL) if is_first else b""
    record = struct.pack("<6i", 2, width, bool(label), 0, shown, shown) + name.encode().ljust(8)
    if label:
        record += struct.pack("<i", len(label)) + label.ljust(len(label) + -len(label) % 4)
    return record + (struct.pack("<6i", 2, -1, 0, 0, 0, 0) + b" " * 8) * (_eights(width) - 1)


def _write_value_labels(file: BinaryIO, variables: Sequence[Variable], places: Sequence[int]) -> None:
    """Each list of labels once, with all variables that it is for."""
    those: dict[tuple[tuple[int, str], ...], list[int]] = {}
    for each, place in zip(variables, places, strict=True):
        if each.values:
            those.setdefault(tuple(each.values.items()), []).append(place)
    for values, whose in those.items():
        file.write(struct.pack("<2i", 3, len(values)))
        for value, label in values:
            said = clipped(label, LONGEST_VALUE_LABEL)
            file.write(struct.pack("<dB", value, len(said)) + said + b" " * (-(1 + len(said)) % 8))
        file.write(struct.pack(f"<{2 + len(whose)}i", 4, len(whose), *whose))


def _write_sets(file: BinaryIO, sets: Sequence[ResponseSet], shorts: Sequence[str]) -> None:
    lines = [
        f"{each.name}=D1 1 {len(each.label.encode())} {each.label} {' '.join(shorts[p].lower() for p in each.places)}\n"
        for each in sets
    ]
    if lines:
        file.write(_extension(7, 1, "".join(lines).encode()))


def _display(each: Variable) -> bytes:
    """Measure, width on the screen and alignment (0 left, 1 right) of each of its segments."""
    wide = min(max(each.width, 8), 40)
    return struct.pack("<3i", _MEASURES[each.measure], wide, 0 if each.width else 1) * len(each.segments)


def _extension(subtype: int, size: int, data: bytes) -> bytes:
    return struct.pack("<4i", 7, subtype, size, len(data) // size) + data
