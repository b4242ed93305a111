"""Categories, imports and answers."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, any_, cast, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.errors import NotFound
from holdfast.store.copying import copy_rows
from holdfast.store.tables import answers, categories, frozen_inputs, imports


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One open-ended question of one survey."""

    id: int
    name: str
    question: str | None
    created_at: datetime
    n_answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAnswer:
    """One row to import."""

    position: int
    external_id: str | None
    text: str
    columns: tuple[Any, ...]  # JSON scalars, the row's own values


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file or one request's rows, as it ended."""

    id: int
    category_id: int
    source: str
    columns: list[str]
    text_column: str
    n_rows: int
    n_added: int
    n_duplicates: int
    notes: list[str]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as it is kept."""

    id: int
    external_id: str | None
    text: str


def digest(answer: str) -> bytes:
    """16 bytes that tell whether an answer is still the text it was."""
    return hashlib.blake2b(answer.encode("utf-8", "surrogatepass"), digest_size=16).digest()


_COUNTED = select(
    categories,
    select(func.count()).where(answers.c.category_id == categories.c.id).scalar_subquery().label("n_answers"),
)


async def add_category(connection: AsyncConnection, *, name: str, question: str | None = None) -> Category:
    """A new, empty category."""
    query = insert(categories).values(name=name, question=question).returning(categories)
    row = (await connection.execute(query)).one()
    return Category(**row._mapping, n_answers=0)


async def get_category(connection: AsyncConnection, category_id: int) -> Category:
    """Raises NotFound."""
    row = (await connection.execute(_COUNTED.where(categories.c.id == category_id))).first()
    if row is None:
        raise NotFound(kind="category", id=category_id)
    return Category(**row._mapping)


async def list_categories(connection: AsyncConnection, *, after: int = 0, limit: int = 100) -> list[Category]:
    """Categories with an id above `after`, oldest first."""
    query = _COUNTED.where(categories.c.id > after).order_by(categories.c.id).limit(limit)
    return [Category(**row._mapping) for row in await connection.execute(query)]


async def count_categories(connection: AsyncConnection) -> int:
    """How many categories there are."""
    return (await connection.execute(select(func.count()).select_from(categories))).scalar_one()


async def start_import(
    connection: AsyncConnection, *, category_id: int, source: str, columns: list[str], text_column: str
) -> int:
    """The id of a new import; its figures come with `add_answers`."""
    row = {"category_id": category_id, "source": source, "columns": columns, "text_column": text_column}
    query = insert(imports).values(row).returning(imports.c.id)
    return int((await connection.execute(query)).scalar_one())


async def add_answers(
    connection: AsyncConnection, *, category_id: int, import_id: int, rows: AsyncIterator[NewAnswer]
) -> Import:
    """Stream the rows in by COPY, in bounded memory; of rows with one external id the first one is kept."""
    await connection.execute(
        text(
            "CREATE TEMP TABLE incoming (position int, external_id text, text text, digest bytea, columns jsonb)"
            " ON COMMIT DROP"
        )
    )
    columns = ("position", "external_id", "text", "digest", "columns")
    n_rows = await copy_rows(connection, "incoming", _records(rows), columns=columns)
    added = await connection.execute(
        text(
            "INSERT INTO holdfast.answers (category_id, import_id, position, external_id, text, digest, columns)"
            " SELECT :category_id, :import_id, position, external_id, text, digest, columns FROM incoming"
            " ORDER BY position ON CONFLICT (category_id, external_id) DO NOTHING"
        ),
        {"category_id": category_id, "import_id": import_id},
    )
    figures = {"n_rows": n_rows, "n_added": added.rowcount, "n_duplicates": n_rows - added.rowcount}
    query = update(imports).where(imports.c.id == import_id).values(figures).returning(imports)
    return Import(**(await connection.execute(query)).one()._mapping)


async def note_import(connection: AsyncConnection, import_id: int, notes: list[str]) -> Import:
    """Keep what was repaired on the way in; the import as it ended."""
    query = update(imports).where(imports.c.id == import_id).values(notes=notes).returning(imports)
    return Import(**(await connection.execute(query)).one()._mapping)


async def list_answers(
    connection: AsyncConnection, *, category_id: int, after: int = 0, limit: int = 100, search: str | None = None
) -> list[Answer]:
    """Answers of a category with an id above `after`, in the order they were imported."""
    query = select(answers.c.id, answers.c.external_id, answers.c.text)
    query = query.where(answers.c.category_id == category_id, answers.c.id > after)
    if search:
        query = query.where(answers.c.text.icontains(search, autoescape=True))
    rows = await connection.execute(query.order_by(answers.c.id).limit(limit))
    return [Answer(**row._mapping) for row in rows]


async def count_answers(connection: AsyncConnection, *, category_id: int, search: str | None = None) -> int:
    """How many answers a category has, or how many of them hold the words searched for."""
    query = select(func.count()).where(answers.c.category_id == category_id)
    if search:
        query = query.where(answers.c.text.icontains(search, autoescape=True))
    return int((await connection.execute(query)).scalar_one())


async def count_with_text(connection: AsyncConnection, *, category_id: int) -> int:
    """How many of a category's answers say anything at all."""
    query = select(func.count()).where(answers.c.category_id == category_id, answers.c.text.regexp_match(r"\S"))
    return int((await connection.execute(query)).scalar_one())


async def texts_of(connection: AsyncConnection, *, category_id: int, ids: list[int] | None) -> list[str]:
    """The texts of these answers (None: of all) of the category, in the order of their ids."""
    query = select(answers.c.text).where(answers.c.category_id == category_id).order_by(answers.c.id)
    if ids is not None:
        query = query.where(answers.c.id == any_(cast(ids, ARRAY(BigInteger))))
    return [row.text for row in await connection.execute(query)]


async def frozen_texts(connection: AsyncConnection, generation_id: UUID) -> tuple[list[int], list[str]]:
    """The ids and texts of a generation's answers, in their frozen order.

    Raises NotFound if the input is not what it was: an answer was changed or deleted since.
    """
    query = text(
        "SELECT a.id, a.text, a.digest FROM holdfast.frozen_inputs f"
        " CROSS JOIN LATERAL unnest(f.answer_ids) WITH ORDINALITY AS frozen(answer_id, place)"
        " JOIN holdfast.answers a ON a.id = frozen.answer_id WHERE f.generation_id = :id ORDER BY frozen.place"
    )
    rows = (await connection.execute(query, {"id": generation_id})).all()
    kept = select(frozen_inputs.c.digest).where(frozen_inputs.c.generation_id == generation_id)
    expected = (await connection.execute(kept)).scalar_one_or_none()
    if expected != hashlib.md5(b"".join(bytes(row.digest) for row in rows), usedforsecurity=False).hexdigest():
        raise NotFound(kind="unchanged input of generation", id=generation_id)
    return [row.id for row in rows], [row.text for row in rows]


async def _records(rows: AsyncIterator[NewAnswer]) -> AsyncIterator[tuple[Any, ...]]:
    async for row in rows:
        values = json.dumps(row.columns, ensure_ascii=False)
        yield row.position, row.external_id, row.text, digest(row.text), values
