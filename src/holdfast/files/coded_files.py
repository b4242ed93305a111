"""Tables of answers that were coded, by us or by a person: csv, xlsx, sav, or the json that we export."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.errors import BadInput
from holdfast.files.answer_files import AnswerFile, as_text, column_names, open_answer_file
from holdfast.files.column_choice import choose_id, choose_text, find_column, known_text
from holdfast.files.export_rows import OURS, FrameRow
from holdfast.files.source_table import Notes, Scalar

# Columns taken as the codes' when none is named, the surest first: our own exports', then what people write.
CODES_NAMES = ("codes (holdfast)", "codes__holdfast", "codes", "labels", "code (holdfast)", "code", "label")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedRow:
    """One answer and what it was coded to."""

    id: str | None
    text: str  # "" in a table without a column of answers
    codes: tuple[str, ...]  # names or numbers as they stand there, the best first; none: not coded
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedFile:
    """A table of coded answers, all of it in memory."""

    columns: tuple[str, ...]  # the answers' own; without what our json export adds
    codes_column: str
    id_column: str | None
    text_column: str | None
    rows: tuple[CodedRow, ...]
    frame: tuple[FrameRow, ...]  # of our json export; else empty
    stability: float | None  # of our json or xlsx export, where it is known
    notes: tuple[str, ...]


def read_coded_file(
    path: Path, *, codes_column: str | None = None, id_column: str | None = None, text_column: str | None = None
) -> CodedFile:
    """Read a coded table; columns that are not named are guessed. Raises BadInput, also where no column has codes."""
    if path.suffix.lower() == ".json":
        return _read_json(path, codes_column, id_column, text_column)
    columns = column_names(path)
    codes = _codes_column(columns, codes_column, path)
    text = columns[find_column(columns, text_column)] if text_column else known_text(columns, but=codes)
    file = open_answer_file(path, text_column=text or codes, id_column=id_column)
    if file.id_column is None and text is None:
        raise BadInput(f"{path.name} has neither a column with ids nor one with the answers; name one of them")
    return CodedFile(
        columns=file.columns,
        codes_column=codes,
        id_column=file.id_column,
        text_column=text,
        rows=tuple(_rows(file, codes, has_text=text is not None)),
        frame=(),
        stability=_of_workbook(path) if path.suffix.lower() == ".xlsx" else None,
        notes=tuple(file.notes),
    )


def split_codes(cell: str) -> tuple[str, ...]:
    """The codes in one cell: between `|`, else between `;` or line ends; each once."""
    parts = cell.split("|") if "|" in cell else re.split(r"[;\n]", cell)
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _codes_column(columns: Sequence[str], wanted: str | None, path: Path) -> str:
    if wanted is not None:
        return columns[find_column(columns, wanted)]
    folded = [name.casefold() for name in columns]
    for name in CODES_NAMES:
        if name in folded:
            return columns[folded.index(name)]
    raise BadInput(f"{path.name} has no column called codes; name the one with them. It has: {', '.join(columns)}")


def _rows(file: AnswerFile, codes: str, *, has_text: bool) -> list[CodedRow]:
    place = file.columns.index(codes)
    return [
        CodedRow(
            id=row.external_id,
            text=row.text if has_text else "",
            codes=split_codes(as_text(row.values[place])),
            values=row.values,
        )
        for row in file.rows()
    ]


def _read_json(path: Path, codes_column: str | None, id_column: str | None, text_column: str | None) -> CodedFile:
    document = _document(path)
    answers: list[dict[str, Any]] = document["answers"]
    names = list(dict.fromkeys(name for answer in answers for name in answer))
    codes = _codes_column(names, codes_column, path)
    added = {f"{name} (holdfast)" if codes.endswith(" (holdfast)") else name for name in OURS}
    columns = tuple(name for name in names if name not in added)
    cells = [tuple(_cell(answer.get(name)) for name in columns) for answer in answers]
    notes = Notes()
    text = choose_text(columns, text_column, cells[:200], notes)
    key = choose_id(columns, id_column)
    rows = [
        CodedRow(
            id=None if key is None else as_text(values[key]).strip() or None,
            text=as_text(values[text]),
            codes=_codes(answer.get(codes)),
            values=values,
        )
        for answer, values in zip(answers, cells, strict=True)
    ]
    return CodedFile(
        columns=columns,
        codes_column=codes,
        id_column=None if key is None else columns[key],
        text_column=columns[text],
        rows=tuple(rows),
        frame=tuple(_frame_row(row, path) for row in document["codeframe"]),
        stability=_stability(document.get("summary")),
        notes=tuple(notes),
    )


def _of_workbook(path: Path) -> float | None:
    from holdfast.files.workbook_reader import open_workbook  # noqa: PLC0415 - slow to import

    try:
        rows = list(open_workbook(path, name=path.name, sheet="summary", notes=Notes()).records())
    except BadInput:  # a table that somebody else wrote
        return None
    return _stability({str(row[0]): row[1] for row in rows if len(row) > 1})


def _stability(summary: object) -> float | None:
    try:
        return float(summary["stability"])  # type: ignore[index] # whatever the file has there
    except (KeyError, TypeError, ValueError):
        return None


def _document(path: Path) -> dict[str, Any]:
    advice = "write it with `holdfast table ID --out FRAME.json`"
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}; check the path") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path.name} is no JSON; {advice}") from error
    lists = [document.get(name) for name in ("codeframe", "answers")] if isinstance(document, dict) else [None]
    if not all(isinstance(part, list) and all(isinstance(row, dict) for row in part) for part in lists):
        raise BadInput(f"{path.name} is no table of a codeframe that we exported; {advice}")
    if not document["answers"]:
        raise BadInput(f"{path.name} has no answers; {advice}")
    return dict(document)


def _cell(value: Any) -> Scalar:
    return value if value is None or isinstance(value, str | int | float | bool) else json.dumps(value)


def _codes(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(dict.fromkeys(str(code) for code in value))
    return () if value is None else split_codes(str(value))


def _frame_row(row: Mapping[str, Any], path: Path) -> FrameRow:
    try:
        return FrameRow(
            number=int(row["number"]),
            level=int(row["level"]),
            theme=str(row["theme"]),
            code=str(row["code"]),
            description=str(row.get("description") or ""),
            n_answers=int(row.get("answers") or 0),
            share=float(row.get("share") or 0),
            quote=str(row.get("quote") or ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"a row of the codeframe in {path.name} lacks its number, level, theme or code") from error
