"""A migrated database, and a small generation in it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from holdfast.store import Connection, Database, answers, generations
from holdfast.store.answers import NewAnswer
from holdfast.store.generations import Created, NewGeneration
from holdfast.store.units import NewUnit


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, max_wait=5.0)
    await opened.migrate()
    yield opened
    await opened.close()


@pytest.fixture
def imported(database: Database) -> Callable[..., Awaitable[int]]:
    """Makes a category with these answers; returns its id."""

    async def make(texts: list[str], *, ids: list[str | None] | None = None) -> int:
        async def rows() -> AsyncIterator[NewAnswer]:
            for position, text in enumerate(texts):
                external = ids[position] if ids else None
                yield NewAnswer(position=position, external_id=external, text=text, columns=(text, position))

        async def work(connection: Connection) -> int:
            category = await answers.add_category(connection, name="spring")
            import_id = await answers.start_import(
                connection, category_id=category.id, source="test.csv", columns=["text", "n"], text_column="text"
            )
            await answers.add_answers(connection, category_id=category.id, import_id=import_id, rows=rows())
            return category.id

        return await database.run(work, repeat=False)

    return make


@pytest.fixture
def created(database: Database) -> Callable[..., Awaitable[Created]]:
    """Makes a generation of a category, with two units of its first stage."""

    def fingerprint_of(config: dict[str, Any], category_id: int, digest: str) -> str:
        return f"{sorted(config.items())}/{category_id}/{digest}"

    async def make(category_id: int, **wanted: Any) -> Created:
        first = [NewUnit(stage="one", ordinal=0), NewUnit(stage="one", ordinal=1)]
        fields: dict[str, Any] = {"id": uuid4(), "config": {"seed": 0}, "answer_ids": None, "at_least": 2} | wanted
        new = NewGeneration(category_id=category_id, **fields)
        return await database.run(
            lambda connection: generations.create(connection, new, first=first, fingerprint_of=fingerprint_of)
        )

    return make
