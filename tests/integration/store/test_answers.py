"""Answers in and out of a real PostgreSQL."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text

from holdfast.errors import BadInput, NotFound
from holdfast.store import Connection, Database, answers
from holdfast.store.answers import NewAnswer
from holdfast.store.generations import Created

Imported = Callable[..., Awaitable[int]]


async def test_answers_come_back_in_the_order_they_were_imported(database: Database, imported: Imported) -> None:
    texts = [f"answer {n}" for n in range(50)]
    category_id = await imported(texts)

    page = await database.run(lambda c: answers.list_answers(c, category_id=category_id, limit=100))

    assert [answer.text for answer in page] == texts


async def test_of_rows_with_one_external_id_the_first_is_kept(database: Database, imported: Imported) -> None:
    category_id = await imported(["first", "second", "third"], ids=["a", "a", "b"])

    page = await database.run(lambda c: answers.list_answers(c, category_id=category_id))

    assert [(answer.external_id, answer.text) for answer in page] == [("a", "first"), ("b", "third")]


async def test_rows_without_an_external_id_are_never_duplicates(database: Database, imported: Imported) -> None:
    category_id = await imported(["same", "same", "same"])

    assert (await database.run(lambda c: answers.get_category(c, category_id))).n_answers == 3


async def test_an_import_that_fails_half_way_leaves_nothing(database: Database) -> None:
    async def rows() -> AsyncIterator[NewAnswer]:
        yield NewAnswer(position=0, external_id=None, text="good", columns=())
        raise BadInput("row 2 cannot be read")

    async def work(connection: Connection) -> None:
        category = await answers.add_category(connection, name="x")
        import_id = await answers.start_import(
            connection, category_id=category.id, source="t", columns=[], text_column="text"
        )
        await answers.add_answers(connection, category_id=category.id, import_id=import_id, rows=rows())

    with pytest.raises(BadInput, match="row 2"):
        await database.run(work, repeat=False)

    left = await database.run(lambda c: c.execute(text("SELECT count(*) FROM holdfast.answers")))
    assert left.scalar_one() == 0
    assert await database.run(answers.count_categories) == 0


async def test_a_frozen_input_that_was_changed_is_noticed(
    database: Database, imported: Imported, created: Callable[..., Awaitable[Created]]
) -> None:
    category_id = await imported(["one", "two", "three"])
    generation = (await created(category_id)).generation
    ids, texts = await database.run(lambda c: answers.frozen_texts(c, generation.id))
    assert texts == ["one", "two", "three"]

    await database.run(lambda c: c.execute(text("DELETE FROM holdfast.answers WHERE id = :id"), {"id": ids[1]}))

    with pytest.raises(NotFound, match="unchanged input"):
        await database.run(lambda c: answers.frozen_texts(c, generation.id))


async def test_a_search_takes_wildcards_as_they_are(database: Database, imported: Imported) -> None:
    category_id = await imported(["100% good", "100 good", "Bad"])

    found = await database.run(lambda c: answers.list_answers(c, category_id=category_id, search="100%"))

    assert [answer.text for answer in found] == ["100% good"]
