"""The coded table: every answer in the order of its file, with its codes, and the codeframe beside it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from holdfast.errors import BadInput
from holdfast.files import ExportRow, FrameRow, is_report, write_table
from holdfast.service.confirming import frame_of
from holdfast.service.reports import write_report_of
from holdfast.service.suggesting import Suggestion
from holdfast.store import Connection, Database, codeframes, generations
from holdfast.store.codeframes import CodedAnswer, StoredNode
from holdfast.store.generations import Generation

BATCH = 2000  # rows handed to the writing thread at once


class Tables:
    """Writes finished codeframes as tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, generation_id: UUID, path: Path) -> list[str]:
        """Write the table to `path` (csv, xlsx, json, sav; html: a report; by its ending); returns notes for the user.

        Rows are streamed. Raises NotFound, Conflict if there is no codeframe yet, BadInput for a path that will not do.
        """
        if is_report(path):
            return await write_report_of(self._database, generation_id, path)

        async def work(connection: Connection) -> list[str]:
            generation = await generations.get(connection, generation_id)
            nodes = await frame_of(connection, generation_id)
            columns = await codeframes.import_columns(connection, generation.category_id)
            rows = _batches(_Coder(nodes, columns), codeframes.coded_answers(connection, generation_id))
            return await _write_in_thread(path, _union(columns), rows, generation, nodes)

        return await self._database.run(work, repeat=False)

    async def write_suggestions(self, generation_id: UUID, suggestions: Sequence[Suggestion], path: Path) -> list[str]:
        """Answers to confirm as a table with an empty column `codes`, and the codeframe where the format holds it.

        Returns notes for the user. Raises NotFound, Conflict without a codeframe, BadInput for a path that will not do.
        """

        async def work(connection: Connection) -> tuple[Generation, list[StoredNode]]:
            return await generations.get(connection, generation_id), await frame_of(connection, generation_id)

        if is_report(path) or path.suffix.lower() == ".sav":
            raise BadInput(f"{path.name} must end in .csv, .xlsx or .json: a person has to fill it in")
        generation, nodes = await self._database.run(work)
        write = partial(write_table, path, columns=["answer", "rows"], rows=_suggested_rows(suggestions, nodes))
        frame, summary = frame_rows(nodes, generation.n_answers), _summary(generation)
        return await asyncio.to_thread(write, frame=frame, summary=summary, has_code_columns=False)


def _suggested_rows(suggestions: Sequence[Suggestion], nodes: Sequence[StoredNode]) -> list[ExportRow]:
    by_key = {node.key: node for node in nodes}
    return [
        ExportRow(
            values=(each.text, each.n_rows),
            theme=_theme(each.code, by_key).name,
            code=each.code.name,
            codes=(),
            score=round(each.probability, 4),
        )
        for each in suggestions
    ]


class _Coder:
    """Turns an answer's node keys into the words of its row."""

    def __init__(self, nodes: Sequence[StoredNode], columns: dict[int, list[str]]) -> None:
        self._nodes = {node.key: node for node in nodes}
        union = _union(columns)
        self._places = {id_: [names.index(n) if n in names else None for n in union] for id_, names in columns.items()}

    def row(self, answer: CodedAnswer) -> ExportRow:
        codes = [self._nodes[key] for key in answer.node_keys]
        cells = answer.columns
        return ExportRow(
            values=tuple(None if place is None else cells[place] for place in self._places[answer.import_id]),
            theme=_theme(codes[0], self._nodes).name if codes else "",
            code=codes[0].name if codes else "",
            codes=tuple(node.name for node in codes),
            score=round(answer.score, 4),
        )


def frame_rows(nodes: Sequence[StoredNode], n_answers: int) -> list[FrameRow]:
    """The codeframe as a table, each theme followed by what is below it."""
    below: dict[str | None, list[StoredNode]] = {}
    for node in nodes:
        below.setdefault(node.parent_key, []).append(node)
    by_key = {node.key: node for node in nodes}
    found: list[FrameRow] = []

    def walk(parent: str | None) -> None:
        for node in below.get(parent, []):
            found.append(_frame_row(node, by_key, n_answers))
            walk(node.key)

    walk(None)
    return found


def _frame_row(node: StoredNode, by_key: dict[str, StoredNode], n_answers: int) -> FrameRow:
    return FrameRow(
        number=node.number or 0,
        level=node.level,
        theme=_theme(node, by_key).name,
        code=node.name if node.node_type == "code" else "",
        description=node.description,
        n_answers=node.n_answers,
        share=node.n_answers / n_answers if n_answers else 0.0,
        quote=node.examples[0]["text"] if node.examples else "",
    )


def _theme(node: StoredNode, by_key: dict[str, StoredNode]) -> StoredNode:
    """The node at the top above this one; of a flat frame, the code itself."""
    while node.parent_key is not None:
        node = by_key[node.parent_key]
    return node


def _union(columns: dict[int, list[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in columns.values() for name in names))


def _summary(generation: Generation) -> dict[str, str]:
    result: dict[str, Any] = generation.result or {}
    mece = result.get("mece") or {}
    return {
        "generation": str(generation.id),
        "status": generation.state,
        "answers": str(generation.n_answers),
        "themes": str(result.get("n_themes", "")),
        "codes": str(result.get("n_codes", "")),
        "MECE score": f"{mece.get('score', 0):.0f}",
        "stability": "" if mece.get("stability") is None else f"{mece['stability']:.2f}",
        "model": str(generation.config.get("model", "")),
        "notes": "; ".join(result.get("notes", [])),
    }


async def _batches(coder: _Coder, rows: AsyncIterator[CodedAnswer]) -> AsyncIterator[list[ExportRow]]:
    batch: list[ExportRow] = []
    async for answer in rows:
        batch.append(coder.row(answer))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _write_in_thread(
    path: Path,
    columns: Sequence[str],
    batches: AsyncIterator[list[ExportRow]],
    generation: Generation,
    nodes: Sequence[StoredNode],
) -> list[str]:
    loop = asyncio.get_running_loop()

    async def following() -> list[ExportRow]:
        return await anext(batches, [])

    def rows() -> Iterator[ExportRow]:
        while batch := asyncio.run_coroutine_threadsafe(following(), loop).result():
            yield from batch

    frame = frame_rows(nodes, generation.n_answers)
    return await asyncio.to_thread(
        write_table, path, columns=columns, rows=rows(), frame=frame, summary=_summary(generation)
    )
