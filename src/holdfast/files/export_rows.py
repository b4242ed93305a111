"""What a written table consists of, whatever its format."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Cell: TypeAlias = str | int | float | bool | None

OURS = ("theme", "code", "codes", "score")
FRAME_COLUMNS = ("number", "level", "theme", "code", "description", "answers", "share", "quote")

_LONE = re.compile("[\ud800-\udfff]")  # halves of surrogate pairs: no encoding can hold them


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """One answer of the file with what it was coded to."""

    values: tuple[Any, ...]  # its own cells, JSON values, in the order of the columns
    theme: str
    code: str  # the best one
    codes: tuple[str, ...]  # all of them, the best first
    score: float  # 0..1, of the best


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRow:
    """One theme or code of the codeframe."""

    number: int  # stable numeric id
    level: int  # 1 at the top
    theme: str
    code: str  # "" for a theme
    description: str
    n_answers: int
    share: float  # of all answers, 0..1
    quote: str  # an answer that is typical of it

    @property
    def cells(self) -> tuple[Cell, ...]:
        """In the order of `FRAME_COLUMNS`."""
        return (
            self.number,
            self.level,
            self.theme,
            self.code,
            self.description,
            self.n_answers,
            round(self.share, 4),
            self.quote,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeColumns:
    """One column a code, Other and rule codes too, in the order of the codeframe: 1 where an answer has it, else 0."""

    numbers: Mapping[str, int]  # of the codes, by their names

    @property
    def variables(self) -> list[str]:
        """What they are called where names are short: code_7."""
        return [f"code_{number}" for number in self.numbers.values()]

    def titles(self, columns: Sequence[str], notes: list[str]) -> list[str]:
        """What they are called in a header (code_7: Parking), told apart from the file's own as `our_names` are.

        The number comes first: no code's name can make one a column that readers take for the answers, ids or codes.
        """
        wanted = [f"{variable}: {name}" for variable, name in zip(self.variables, self.numbers, strict=True)]
        titles = _told_apart(wanted, columns)
        if titles != wanted:
            notes.append("the file has columns of its own called like ours of the codes; ours end in '(holdfast)'")
        return titles

    def values(self, codes: Iterable[str]) -> list[int]:
        """Of an answer with these codes."""
        has = set(codes)
        return [int(name in has) for name in self.numbers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A table to write; its rows are read once."""

    columns: Sequence[str]  # the file's own
    ours: Sequence[str]  # what ours are called beside them
    codes: CodeColumns  # after ours, where the format has them
    rows: Iterable[ExportRow]
    frame: Sequence[FrameRow]
    summary: Mapping[str, str]
    notes: list[str] = field(default_factory=list)  # for the user; filled while writing


def our_names(columns: Sequence[str], notes: list[str]) -> list[str]:
    """The names of our columns, told apart from the file's own of the same name in any case."""
    names = _told_apart(OURS, columns)
    for ours, name in zip(OURS, names, strict=True):
        if name != ours:
            notes.append(f"the file has a column {ours!r} of its own; ours is called {name!r}")
    return names


def code_columns(frame: Iterable[FrameRow]) -> CodeColumns:
    """Those of the codeframe's codes."""
    return CodeColumns(numbers={row.code: row.number for row in frame if row.code})


def _told_apart(wanted: Iterable[str], columns: Sequence[str]) -> list[str]:
    """The names, with a suffix where one of the columns has the name in any case."""
    taken = {name.casefold() for name in columns}
    names = []
    for ours in wanted:
        name, number = ours, 1
        while name.casefold() in taken:
            name = f"{ours} (holdfast)" if number == 1 else f"{ours} (holdfast {number})"
            number += 1
        names.append(name)
    return names


def joined(codes: Iterable[str]) -> str:
    """All codes in one cell, separated by `|`, which a name therefore cannot keep."""
    return "|".join(code.replace("|", "/") for code in codes)


def plain(value: object) -> Cell:
    """The value as one cell can hold it; a list or an object becomes its JSON."""
    match value:
        case str():
            return writable(value)
        case float() if not math.isfinite(value):
            return None
        case None | bool() | int() | float():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


def writable(text: str) -> str:
    """The text without what cannot be written as UTF-8."""
    return _LONE.sub("\ufffd", text) if not text.isascii() and _LONE.search(text) else text
