"""Bodies of categories and answers, and the rows of a JSON import."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, NoReturn, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
)

from holdfast.api.bodies import Body, Storable
from holdfast.errors import BadInput, Problem
from holdfast.service import IncomingRow

MAX_BAD_ROWS = 100  # listed; all are counted
MAX_COLUMNS = 1000
MAX_CELLS = 20_000_000  # rows x columns: rows that each bring columns of their own would fill the memory
MAX_EXTERNAL_ID = 500  # characters, what the database's index holds in any script

Cell: TypeAlias = StrictStr | StrictBool | StrictInt | StrictFloat | None


class NewCategoryBody(Body):
    """One open-ended question of one survey."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "NHS 2024", "question": "What went well?"}]})

    name: Storable = Field(min_length=1, max_length=200)
    question: Storable | None = Field(None, max_length=10_000, description="What was asked; context for the labels")


class CategoryBody(Body):
    """A category."""

    id: int
    name: str
    question: str | None
    created_at: datetime
    n_answers: int


class CategoriesBody(Body):
    """A page of categories."""

    items: tuple[CategoryBody, ...]
    total: int
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null: this is the last one")


class AnswerBody(Body):
    """An answer."""

    id: int
    external_id: str | None
    text: str


class AnswersBody(Body):
    """A page of answers."""

    items: tuple[AnswerBody, ...]
    total: int = Field(description="Answers in the category, or those that match the search")
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null: this is the last one")


class BadRowBody(Body):
    """A row that was not imported."""

    row: int = Field(description="Its place in the request, from 0")
    message: str


class ImportBody(Body):
    """What an import did, in one transaction."""

    id: int
    category_id: int
    source: str = Field(description="The file's name, or `api`")
    columns: tuple[str, ...]
    text_column: str
    n_rows: int = Field(description="Rows read, without the bad ones")
    n_added: int
    n_duplicates: int = Field(description="Rows whose id was there already; the first one was kept")
    n_bad: int = Field(description="Rows that could not be used; the others were imported")
    bad_rows: tuple[BadRowBody, ...] = Field(description=f"The first {MAX_BAD_ROWS} of them")
    notes: tuple[str, ...] = Field(description="What was repaired or guessed")
    created_at: datetime


class RowBody(BaseModel):
    """One answer; any other field is a column of its own and comes back in exports."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)
    __pydantic_extra__: dict[str, Cell] = Field(init=False)

    text: StrictStr
    external_id: Annotated[StrictStr | StrictInt, Field(description="Your own id of the answer")] | None = None


class RowsBody(Body):
    """Answers to import."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rows": [{"text": "The staff were kind", "external_id": "r-1", "age": 41}]}]}
    )

    rows: tuple[RowBody, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRows:
    """The rows of a request: those that can be imported, and those that cannot."""

    rows: Sequence[IncomingRow]
    bad: tuple[BadRowBody, ...]
    n_bad: int


class Malformed(ValueError):
    """The body is no JSON."""


_ROW = TypeAdapter(RowBody)


def read_rows(data: bytes) -> ReadRows:
    """Check each row by itself. Raises Malformed, BadInput if nothing can be imported; takes long for large bodies."""
    try:
        body = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the body is not valid JSON ({error})") from error
    good: list[IncomingRow] = []
    bad: list[BadRowBody] = []
    n_bad = 0
    for number, row in enumerate(_raw_rows(body)):
        try:
            good.append(_incoming(_ROW.validate_python(row)))
        except ValueError as error:  # pydantic's ValidationError is one
            n_bad += 1
            if len(bad) < MAX_BAD_ROWS:
                bad.append(BadRowBody(row=number, message=_said(error)))
    if not good:
        raise BadInput(
            "none of the rows can be imported",
            problems=[Problem(path=f"body.rows.{row.row}", message=row.message) for row in bad],
        )
    _check_width(good)
    return ReadRows(rows=good, bad=tuple(bad), n_bad=n_bad)


def _raw_rows(body: Any) -> list[Any]:
    if not isinstance(body, Mapping):
        raise _wrong("body", 'must be an object such as {"rows": [{"text": "…"}]}')
    unknown = sorted(set(body) - {"rows"})
    if unknown:
        raise _wrong(f"body.{unknown[0]}", "is not a field of this body")
    rows = body.get("rows")
    if not isinstance(rows, list) or not rows:
        raise _wrong("body.rows", "must be a list with at least one row")
    return rows


def _incoming(row: RowBody) -> IncomingRow:
    given = {} if row.external_id is None else {"external_id": row.external_id}
    key = None if row.external_id is None else str(row.external_id).strip()
    if key is not None and len(key) > MAX_EXTERNAL_ID:
        raise ValueError(f"external_id: must have at most {MAX_EXTERNAL_ID} characters")
    return IncomingRow(text=row.text, external_id=key or None, columns=given | row.__pydantic_extra__)


def _check_width(rows: Sequence[IncomingRow]) -> None:
    columns = len({name for row in rows for name in row.columns})
    if columns > MAX_COLUMNS or columns * len(rows) > MAX_CELLS:
        raise _wrong("body.rows", f"have {columns:,} different columns between them, which is too many")


def _said(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{first['loc'][0]}: {first['msg']}" if first["loc"] else str(first["msg"])


def _wrong(path: str, message: str) -> BadInput:
    return BadInput(f"{path} {message}", problems=[Problem(path=path, message=message)])


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")
