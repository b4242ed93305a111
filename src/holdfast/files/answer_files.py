"""Files of answers: opened as one table whatever their format, read row by row with bounded memory.

csv and tsv (plain or gzipped; delimiter and encoding are found out), xlsx, sav. What cannot be used is refused with a
BadInput that says what to do; what was repaired or guessed is told in `AnswerFile.notes`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path

from holdfast.errors import BadInput
from holdfast.files.column_choice import choose_id, choose_text, unique_names
from holdfast.files.csv_reader import open_csv
from holdfast.files.file_kinds import kind_of
from holdfast.files.source_table import Notes, Scalar, Table, squared


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """One row of the file."""

    position: int  # 0 for the first row below the header
    external_id: str | None  # the cell of the id column, None without one or when it is empty
    text: str  # the answer
    values: tuple[Scalar, ...]  # every cell in the order of the columns, the answer's too


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFile:
    """A file of answers whose columns are known; `rows()` reads it, as often as it is called."""

    columns: tuple[str, ...]  # unique names, in the order of the file
    text_column: str
    id_column: str | None
    encoding: str | None  # None where the format has none
    notes: Notes  # for the user; some are known only when all rows were read
    _table: Table = field(repr=False)

    def rows(self) -> Iterator[AnswerRow]:
        """Every row of the file; raises BadInput where the file turns out to be damaged."""
        text = self.columns.index(self.text_column)
        key = None if self.id_column is None else self.columns.index(self.id_column)
        for position, values in enumerate(squared(self._table.records(), self._table, self.notes)):
            yield AnswerRow(
                position=position,
                external_id=None if key is None else as_text(values[key]).strip() or None,
                text=as_text(values[text]),
                values=values,
            )


def open_answer_file(
    path: Path,
    *,
    text_column: str | None = None,
    id_column: str | None = None,
    sheet: str | None = None,
    name: str | None = None,
) -> AnswerFile:
    """Open a table of answers; `name` is what the user calls the file when `path` is a temporary one.

    Without `text_column` the column is guessed (see column_choice.choose_text); without `id_column` a column named
    id, respondent_id, external_id or response_id is used when there is one and none of its cells repeats.
    """
    called = name or path.name or str(path)
    notes = Notes()
    table = _open_table(path, called, sheet, notes)
    columns = unique_names(table.header, notes)
    sample = list(squared(iter(table.head), table, Notes()))
    if not sample:
        raise BadInput(f"{called} has column names but no rows; it needs at least one row of answers")
    text = choose_text(columns, text_column, sample, notes)
    key = choose_id(columns, id_column)
    file = AnswerFile(
        columns=columns,
        text_column=columns[text],
        id_column=None if key is None else columns[key],
        encoding=table.encoding,
        notes=notes,
        _table=table,
    )
    return file if id_column is not None else _without_ids_that_repeat(file)


def column_names(path: Path, *, sheet: str | None = None) -> tuple[str, ...]:
    """The columns of a table, before anything is known about them."""
    notes = Notes()
    return unique_names(_open_table(path, path.name, sheet, notes).header, notes)


def _without_ids_that_repeat(file: AnswerFile) -> AnswerFile:
    """The file, without its guessed ids if they do not tell its rows apart; reads it once, 16 bytes a row are kept."""
    if file.id_column is None:
        return file
    seen: set[bytes] = set()
    for row in file.rows():
        if row.external_id is None:
            continue
        digest = blake2b(row.external_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if digest in seen:
            file.notes.say(
                f"column {file.id_column!r} repeats, so it is kept as a column and not used to find duplicates"
            )
            return replace(file, id_column=None)
        seen.add(digest)
    return file


def as_text(value: Scalar) -> str:
    """A cell as a person would write it: nothing for an empty one, no `.0` behind a whole number."""
    match value:
        case None:
            return ""
        case str():
            return value
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def _open_table(path: Path, name: str, sheet: str | None, notes: Notes) -> Table:
    match kind_of(path, name):
        case "workbook":
            from holdfast.files.workbook_reader import open_workbook  # noqa: PLC0415 - slow to import, as the next

            return open_workbook(path, name=name, sheet=sheet, notes=notes)
        case "spss":
            from holdfast.files.spss_reader import open_spss  # noqa: PLC0415

            return open_spss(path, name=name)
        case "gzip":
            return open_csv(path, name=name, zipped=True, notes=notes)
        case "text":
            return open_csv(path, name=name, zipped=False, notes=notes)
