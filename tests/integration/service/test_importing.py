"""Files and rows come in whole or not at all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from holdfast.errors import BadInput, NotFound
from holdfast.service import FileToImport, Imports, IncomingRow
from holdfast.store import Database


@pytest.fixture
async def imports(database_url: str) -> AsyncIterator[Imports]:
    database = Database(database_url)
    await database.migrate()
    yield Imports(database)
    await database.close()


def written(path: Path, rows: list[str], *, header: str = "id,text", ids: str | None = None) -> FileToImport:
    path.write_text("\n".join([header, *rows]) + "\n")
    return FileToImport(path=path, id_column=ids)


async def test_a_file_becomes_a_category_with_its_notes(imports: Imports, tmp_path: Path) -> None:
    file = written(tmp_path / "survey.csv", [f"{n % 11},answer {n}" for n in range(12)], ids="id")

    category, done = await imports.import_as_category(file, at_least=10)

    assert (category.name, done.n_rows, done.n_added, done.n_duplicates) == ("survey.csv", 12, 11, 1)
    assert done.notes == ["1 row repeats an id that is there already; the first one was kept"]


async def test_a_guessed_id_column_that_repeats_costs_no_answer(imports: Imports, tmp_path: Path) -> None:
    file = written(tmp_path / "dup.csv", [f"1,answer {n}" for n in range(12)])

    category, done = await imports.import_as_category(file, at_least=10)
    again = await imports.import_file(category.id, file)

    assert (done.n_added, done.n_duplicates, again.n_added) == (12, 0, 12)
    assert done.notes == ["column 'id' repeats, so it is kept as a column and not used to find duplicates"]


async def test_too_few_answers_because_the_ids_repeat_is_said(imports: Imports, tmp_path: Path) -> None:
    file = written(tmp_path / "dup.csv", [f"1,answer {n}" for n in range(12)], ids="id")

    with pytest.raises(BadInput, match="has 1 answers; 11 rows repeat an id, so pick another column with --id-column"):
        await imports.import_as_category(file, at_least=10)


@pytest.mark.parametrize(
    ("blank", "said"), [([], "has 9 answers;"), (["9,", "10,  \t "], "has 9 answers and 2 empty ones;")]
)
async def test_nine_answers_that_say_anything_leave_nothing_behind(
    imports: Imports, tmp_path: Path, blank: list[str], said: str
) -> None:
    file = written(tmp_path / "small.csv", [*(f"{n},answer {n}" for n in range(9)), *blank])

    with pytest.raises(BadInput, match=f"{said} a codeframe needs at least 10"):
        await imports.import_as_category(file, at_least=10)

    assert await imports.categories() == ([], 0)


async def test_an_id_no_index_can_hold_is_refused_and_nothing_is_kept(imports: Imports, tmp_path: Path) -> None:
    category = await imports.add_category(name="x")
    file = written(tmp_path / "long.csv", ["1,good", f"{'9' * 5000},bad"])

    with pytest.raises(BadInput, match="row 2: the id has 5,000 characters"):
        await imports.import_file(category.id, file)

    assert (await imports.answers(category.id))[1] == 0


async def test_characters_that_cannot_be_stored_are_replaced_and_said(imports: Imports) -> None:
    category = await imports.add_category(name="x")

    done = await imports.import_rows(
        category.id, [IncomingRow(text="a\0b", columns={"c\0": "\ud800"}), IncomingRow(text="fine")]
    )

    page, total = await imports.answers(category.id)
    assert ([answer.text for answer in page], total) == (["ab", "fine"], 2)
    assert done.notes == ["row 0: characters that cannot be stored (NUL, lone surrogates) were replaced"]


async def test_rows_for_no_category_and_no_rows_are_refused(imports: Imports) -> None:
    with pytest.raises(NotFound):
        await imports.import_rows(12345, [IncomingRow(text="x")])
    with pytest.raises(BadInput, match="no rows"):
        await imports.import_rows(1, [])
    with pytest.raises(BadInput, match="needs a name"):
        await imports.add_category(name=" \0 ")
