"""The coded answers as an SPSS file: own columns, theme, code, score, and each code as 0 or 1, in one response set."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from holdfast.files.export_rows import Cell, Export, ExportRow, joined, plain
from holdfast.files.spss_format import (
    LONGEST_TEXT,
    ResponseSet,
    Value,
    Variable,
    case,
    variable_names,
    write_dictionary,
)

_EXACT = 2**53  # SPSS has doubles alone; longer numbers, which are ids, stay text
_SET, _OURS = "$codes", 4  # variables before those of the set


def write_spss(file: BinaryIO, export: Export) -> None:
    """Write the variables, for whose types and widths all rows have to be seen, then the rows."""
    columns = [_Column() for _ in export.columns]
    coder = _Coder(export)
    all_codes = _Column(is_number=False)
    with tempfile.TemporaryFile() as seen:  # the rows come once, and may be more than memory holds
        n_rows = 0
        for row in export.rows:
            n_rows += 1
            own = [plain(value) for value in row.values]
            for column, cell in zip(columns, own, strict=True):
                column.see(cell)
            all_codes.see(joined(row.codes))
            seen.write(json.dumps([own, coder.values(row)]).encode() + b"\n")
        seen.seek(0)
        own_variables = [c.variable(title) for title, c in zip(export.columns, columns, strict=True)]
        variables = _named([*own_variables, *coder.variables(all_codes.width)])
        label = f"Holdfast {export.summary.get('generation', '')}"
        sets = coder.sets(range(len(columns) + _OURS, len(variables)))
        write_dictionary(file, variables, sets=sets, n_cases=n_rows, label=label)
        for line in seen:
            cells, ours = json.loads(line)
            values = [column.value(cell) for column, cell in zip(columns, cells, strict=True)]
            file.write(case(variables, values + ours))
    if cut := sum(column.cut for column in [*columns, all_codes]):
        told = "1 cell was" if cut == 1 else f"{cut:,} cells were"
        export.notes.append(f"{told} cut: SPSS holds {LONGEST_TEXT:,} bytes in one; csv and json keep all")


@dataclass(slots=True)
class _Column:
    """What the cells of one of the file's own columns are."""

    is_number: bool = True
    is_whole: bool = True
    width: int = 1  # bytes of the longest cell as text
    cut: int = 0  # cells that are longer than any may be

    def see(self, cell: Cell) -> None:
        if cell is None:
            return
        n_bytes = len(str(cell).encode())
        self.is_number &= not isinstance(cell, str) and abs(cell) < _EXACT
        self.is_whole &= not isinstance(cell, float) or cell.is_integer()
        self.width = min(max(self.width, n_bytes), LONGEST_TEXT)
        self.cut += n_bytes > LONGEST_TEXT

    def variable(self, title: str) -> Variable:
        if not self.is_number:
            return Variable(name=title, label=title, width=self.width)
        return Variable(name=title, label=title, decimals=0 if self.is_whole else 2, measure="scale")

    def value(self, cell: Cell) -> Value:
        if cell is None or isinstance(cell, str) or not self.is_number:
            return None if cell is None else str(cell)
        return int(cell) if isinstance(cell, bool) else cell


class _Coder:
    """Our variables, and their values in a row: the numbers of the codeframe, with the names as their labels."""

    def __init__(self, export: Export) -> None:
        self._themes = {row.theme: row.number for row in export.frame if row.level == 1}
        self._codes = export.codes
        self._names = export.ours

    def variables(self, width: int) -> list[Variable]:
        """`width`: bytes of the longest list of codes."""
        theme, code, codes, score = self._names
        return [
            Variable(name=theme, label="Theme of the best code", values=_labels(self._themes)),
            Variable(name=code, label="Best code", values=_labels(self._codes.numbers)),
            Variable(name=codes, label="All codes, the best first", width=width),
            Variable(name=score, label="How sure the best code is, 0 to 1", decimals=2, measure="scale"),
            *(
                Variable(name=variable, label=name, values={0: "No", 1: "Yes"})
                for variable, name in zip(self._codes.variables, self._codes.numbers, strict=True)
            ),
        ]

    def sets(self, places: Sequence[int]) -> list[ResponseSet]:
        """The codes of an answer, whose variables are at these places, as the answers to one question."""
        return [ResponseSet(name=_SET, label="Codes", places=places)] if len(places) > 1 else []

    def values(self, row: ExportRow) -> list[Value]:
        best = [self._themes.get(row.theme), self._codes.numbers.get(row.code), joined(row.codes), row.score]
        return [*best, *self._codes.values(row.codes)]


def _labels(numbers: Mapping[str, int]) -> dict[int, str]:
    return {number: name for name, number in sorted(numbers.items(), key=lambda item: item[1])}


def _named(variables: Sequence[Variable]) -> list[Variable]:
    names = variable_names(each.name for each in variables)
    return [replace(each, name=name) for each, name in zip(variables, names, strict=True)]
