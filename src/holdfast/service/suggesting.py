"""Which answers of a generation a person should confirm next."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from holdfast.codeframe import (
    Embedder,
    Example,
    KnownCode,
    Prepared,
    Taught,
    Thresholds,
    Vectors,
    learn,
    prepare,
    suggest,
    weak_examples,
)
from holdfast.errors import BadInput, Conflict
from holdfast.service.confirming import Numbers, frame_of
from holdfast.service.embedders import Embedders
from holdfast.service.embedding_work import stored_vectors
from holdfast.service.requests import GenerationConfig, is_paid
from holdfast.service.stages import PREPARE
from holdfast.store import Connection, Database, answers, codeframes, confirmations, generations, units
from holdfast.store.codeframes import StoredNode

MOST_SUGGESTED = 500
AS_THEY_COME = Thresholds(floor=0.0, further=1.0, temperature=1.0)  # each answer's best code, near or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An answer to confirm."""

    answer_id: int
    text: str
    n_rows: int  # that say the same
    code: StoredNode  # the most probable one
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """The most useful first, and what of the examples could not be used."""

    items: list[Suggestion]
    n_confirmed: int  # different answers that are confirmed
    n_strange: int  # examples whose text no answer of the generation has


@dataclass(frozen=True, kw_only=True)
class Known:
    """All that is kept of a generation's answers and codes."""

    nodes: list[StoredNode]  # of codes that say something
    ids: list[int]
    prepared: Prepared
    coded: list[Taught]
    confirmed: list[Taught]
    n_strange: int


class Suggesting:
    """Suggests answers; learns the codeframe from what is confirmed, each time anew."""

    def __init__(self, database: Database, embedders: Embedders) -> None:
        self._database = database
        self._embedders = embedders

    async def suggest(
        self, generation_id: UUID, *, n: int, examples: Sequence[tuple[str, Sequence[str]]] = ()
    ) -> Suggestions:
        """At most `n` answers; `examples` are texts and codes that are confirmed beside those that are kept.

        Raises NotFound, Conflict without a codeframe or vectors, BadInput for a code that the codeframe has not.
        """
        if not 1 <= n <= MOST_SUGGESTED:
            raise BadInput(f"the number of suggestions must be between 1 and {MOST_SUGGESTED}, not {n}")
        known, name = await self._known(generation_id, examples)
        if is_paid(name):
            raise Conflict(f"suggestions compare answers with codes, and {name} was only paid for the answers")
        embedder = await self._embedders.open(name)
        stored = await stored_vectors(self._database, generation_id, len(known.prepared.distinct))
        async with self._embedders.turn:
            items = await asyncio.to_thread(_suggested, known, stored, embedder, n)
        return Suggestions(items=items, n_confirmed=len(known.confirmed), n_strange=known.n_strange)

    async def _known(self, generation_id: UUID, examples: Sequence[tuple[str, Sequence[str]]]) -> tuple[Known, str]:
        async def work(connection: Connection) -> tuple[Known, str]:
            nodes = await frame_of(connection, generation_id)
            generation = await generations.get(connection, generation_id)
            config = GenerationConfig.from_json(generation.config)
            if config.is_direct:
                raise Conflict(f"{config.coding_type} coding compares no answers, so none can be suggested")
            if config.whole:
                raise Conflict("a survey that went whole into one prompt has no vectors, so none can be suggested")
            figures = await units.results(connection, generation_id, PREPARE)
            return await read_known(connection, generation_id, nodes, examples), str(figures[0]["embedder"])

        return await self._database.run(work)


async def read_known(
    connection: Connection,
    generation_id: UUID,
    nodes: Sequence[StoredNode],
    examples: Sequence[tuple[str, Sequence[str]]] = (),
) -> Known:
    """What is kept of a generation; `examples` are texts and codes confirmed elsewhere. Raises NotFound, BadInput."""
    numbers = Numbers(nodes)
    given = [Taught(text=text, numbers=tuple(numbers.of(codes, path=repr(text[:60])))) for text, codes in examples]
    said = await confirmations.of_generation(connection, generation_id)
    confirmed = [*(Taught(text=each.text, numbers=tuple(each.numbers)) for each in said), *given]
    by_key = {node.key: node.number for node in nodes if node.details.get("kind", "content") == "content"}
    ids, texts = await answers.frozen_texts(connection, generation_id)
    coded = [
        Taught(text=row.text, numbers=tuple(n for key in row.node_keys if (n := by_key.get(key)) is not None))
        async for row in codeframes.coded_answers(connection, generation_id)
    ]
    return Known(
        nodes=[node for node in nodes if node.node_type == "code" and node.key in by_key],
        ids=ids,
        prepared=await asyncio.to_thread(prepare, texts),
        coded=coded,
        confirmed=confirmed,
        n_strange=len({each.text for each in given} - set(texts)),
    )


def _suggested(known: Known, stored: Vectors, embedder: Embedder, n: int) -> list[Suggestion]:
    codes = [KnownCode(number=node.number or 0, name=node.name, description=node.description) for node in known.nodes]
    if not codes or not known.prepared.distinct:
        return []
    vectors, names = _vectors(known.prepared, stored, [code.said for code in codes], embedder)
    rows = {text: int(row) for text, row in zip((t.text for t in known.coded), known.prepared.index, strict=True)}
    sure = _rows(known.confirmed, rows, codes)
    weak = _rows(weak_examples(known.coded, known.confirmed), rows, codes)
    examples = [*sure.values(), *(each for row, each in weak.items() if row not in sure)]
    weights = known.prepared.weights
    found = learn(vectors, names, examples, weights=weights, thresholds=AS_THEY_COME)
    chosen = suggest(vectors, found.probabilities, n=n, confirmed=sorted(sure), weights=weights)
    return [
        Suggestion(
            answer_id=known.ids[known.prepared.first_row[row]],
            text=known.coded[known.prepared.first_row[row]].text,
            n_rows=int(weights[row]),
            code=known.nodes[found.best[row]],
            probability=float(found.probabilities[row].max()),
        )
        for row in chosen
    ]


def _vectors(prepared: Prepared, stored: Vectors, said: Sequence[str], embedder: Embedder) -> tuple[Vectors, Vectors]:
    """Those of the answers and of what the codes say, from one embedder in one go where it needs that."""
    if not embedder.whole_corpus:
        return stored, embedder.embed(said)
    made = embedder.embed([*prepared.distinct, *said])
    return made[: len(stored)], made[len(stored) :]


def _rows(taught: Sequence[Taught], rows: dict[str, int], codes: Sequence[KnownCode]) -> dict[int, Example]:
    """Examples by the row of their vector; the earlier of two that disagree, none of what has no vector."""
    place = {code.number: n for n, code in enumerate(codes)}
    found: dict[int, Example] = {}
    for each in taught:
        if (row := rows.get(each.text, -1)) >= 0:
            found.setdefault(row, Example(row=row, codes=tuple(place[n] for n in each.numbers if n in place)))
    return found
