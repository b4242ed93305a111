"""Answers come in: from a file or as rows, all of them or none."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

from holdfast.errors import BadInput
from holdfast.files import AnswerRow, open_answer_file
from holdfast.store import Connection, Database, answers
from holdfast.store.answers import Answer, Category, Import, NewAnswer

T = TypeVar("T")

MAX_ID = 500  # characters of an external id: what an index of PostgreSQL holds with room to spare
BATCH = 2000  # rows read in one turn of the reading thread


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToImport:
    """A file of answers and how to read it."""

    path: Path
    text_column: str | None = None  # None: guessed
    id_column: str | None = None
    sheet: str | None = None
    name: str | None = None  # the name to show, if the path is a temporary one

    @property
    def shown(self) -> str:
        return self.name or self.path.name


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingRow:
    """One answer that did not come from a file."""

    text: str
    external_id: str | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)


class _Source(Protocol):
    @property
    def columns(self) -> Sequence[str]: ...

    @property
    def text_column(self) -> str: ...

    @property
    def notes(self) -> list[str]: ...

    def rows(self) -> Iterator[AnswerRow]: ...


class Imports:
    """Categories and the answers in them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_category(self, *, name: str, question: str | None = None) -> Category:
        """A new, empty category. Raises BadInput for a name that is empty."""
        name, question = clean(name).strip(), clean(question).strip() if question else None
        if not name:
            raise BadInput("a category needs a name")
        return await self._database.run(lambda c: answers.add_category(c, name=name, question=question), repeat=False)

    async def category(self, category_id: int) -> Category:
        """Raises NotFound."""
        return await self._database.run(lambda connection: answers.get_category(connection, category_id))

    async def categories(self, *, after: int = 0, limit: int = 100) -> tuple[list[Category], int]:
        """A page of categories, and how many there are."""

        async def work(connection: Connection) -> tuple[list[Category], int]:
            page = await answers.list_categories(connection, after=after, limit=limit)
            return page, await answers.count_categories(connection)

        return await self._database.run(work)

    async def answers(
        self, category_id: int, *, after: int = 0, limit: int = 100, search: str | None = None
    ) -> tuple[list[Answer], int]:
        """A page of a category's answers, and how many it has (that hold `search`). Raises NotFound."""

        async def work(connection: Connection) -> tuple[list[Answer], int]:
            await answers.get_category(connection, category_id)
            page = await answers.list_answers(
                connection, category_id=category_id, after=after, limit=limit, search=search
            )
            return page, await answers.count_answers(connection, category_id=category_id, search=search)

        return await self._database.run(work)

    async def import_file(self, category_id: int, file: FileToImport) -> Import:
        """Import a whole file in one transaction. Raises BadInput (nothing was imported), NotFound, Unavailable."""
        opened = await asyncio.to_thread(_open, file)

        async def work(connection: Connection) -> Import:
            await answers.get_category(connection, category_id)
            return await _import(connection, category_id, opened, source_name=file.shown)

        return await self._database.run(work, repeat=False)

    async def import_rows(self, category_id: int, rows: Sequence[IncomingRow]) -> Import:
        """Import rows in one transaction. Raises BadInput for no rows, NotFound, Unavailable."""
        if not rows:
            raise BadInput("there are no rows to import; send at least one with a text")

        async def work(connection: Connection) -> Import:
            await answers.get_category(connection, category_id)
            return await _import(connection, category_id, _Rows(rows), source_name="api")

        return await self._database.run(work, repeat=False)

    async def import_as_category(
        self, file: FileToImport, *, at_least: int, question: str | None = None
    ) -> tuple[Category, Import]:
        """A file becomes a category of its own, if it has enough answers; else BadInput, and nothing is kept."""
        opened = await asyncio.to_thread(_open, file)

        async def work(connection: Connection) -> tuple[Category, Import]:
            category = await answers.add_category(connection, name=clean(file.shown), question=question)
            done = await _import(connection, category.id, opened, source_name=file.shown)
            n_with_text = await answers.count_with_text(connection, category_id=category.id)
            if n_with_text < at_least:
                blank = f" and {done.n_added - n_with_text} empty ones" if n_with_text < done.n_added else ""
                twice = (
                    f"; {_repeats(done.n_duplicates)} an id, so pick another column with --id-column"
                    if done.n_duplicates
                    else ""
                )
                raise BadInput(
                    f"{file.shown} has {n_with_text} answers{blank}{twice}; a codeframe needs at least {at_least} that "
                    "are not empty. Add more rows, or pick another column with --text-column"
                )
            return category, done

        return await self._database.run(work, repeat=False)


def read_texts(file: FileToImport) -> list[str]:
    """The file's answers, as an import would read them. Raises BadInput."""
    return [row.text for row in _open(file).rows()]


def clean(text: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL characters and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


class _Rows:
    """Rows that came over HTTP, as if they were a file."""

    def __init__(self, rows: Sequence[IncomingRow]) -> None:
        own = dict.fromkeys(name for row in rows for name in row.columns)
        self.text_column = "text"
        self.columns = ["text", *(name for name in own if name != "text")]
        self.notes: list[str] = []
        self._incoming = rows

    def rows(self) -> Iterator[AnswerRow]:
        for position, row in enumerate(self._incoming):
            cells = {name: clean(value) if isinstance(value, str) else value for name, value in row.columns.items()}
            text = clean(row.text)
            if text != row.text:
                self._note(position)
            values = (text, *(cells.get(name) for name in self.columns[1:]))
            yield AnswerRow(
                position=position, external_id=row.external_id and clean(row.external_id), text=text, values=values
            )

    def _note(self, position: int) -> None:
        if len(self.notes) < 20:
            self.notes.append(f"row {position}: characters that cannot be stored (NUL, lone surrogates) were replaced")


def _open(file: FileToImport) -> _Source:
    return open_answer_file(
        file.path, text_column=file.text_column, id_column=file.id_column, sheet=file.sheet, name=file.name
    )


async def _import(connection: Connection, category_id: int, source: _Source, *, source_name: str) -> Import:
    import_id = await answers.start_import(
        connection,
        category_id=category_id,
        source=clean(source_name),
        columns=[clean(name) for name in source.columns],
        text_column=clean(source.text_column),
    )
    rows = (_new(row) async for row in _in_batches(source.rows()))
    done = await answers.add_answers(connection, category_id=category_id, import_id=import_id, rows=rows)
    return await answers.note_import(connection, import_id, [clean(note) for note in _notes(source, done)])


def _notes(source: _Source, done: Import) -> list[str]:
    if not done.n_duplicates:
        return list(source.notes)
    return [*source.notes, f"{_repeats(done.n_duplicates)} an id that is there already; the first one was kept"]


def _repeats(rows: int) -> str:
    return "1 row repeats" if rows == 1 else f"{rows:,} rows repeat"


def _new(row: AnswerRow) -> NewAnswer:
    if row.external_id is not None and len(row.external_id) > MAX_ID:
        raise BadInput(
            f"row {row.position + 1}: the id has {len(row.external_id):,} characters, {MAX_ID} is the most; "
            "pick another id column"
        )
    return NewAnswer(position=row.position, external_id=row.external_id, text=row.text, columns=row.values)


async def _in_batches(rows: Iterable[T]) -> AsyncIterator[T]:
    reading = iter(rows)
    while batch := await asyncio.to_thread(lambda: list(islice(reading, BATCH))):
        for row in batch:
            yield row
