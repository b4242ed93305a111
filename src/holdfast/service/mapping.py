"""The map of a generation's answers, from the vectors its embed units left."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import numpy as np
import numpy.typing as npt

from holdfast.codeframe import Prepared, Projection, Vectors, prepare, project, read_vectors, sample_answers
from holdfast.errors import NotFound
from holdfast.files import Disc, Dot, ReportMap
from holdfast.service.requests import GenerationConfig
from holdfast.service.stages import EMBED
from holdfast.store import Database, answers, codeframes, generations, units
from holdfast.store.codeframes import StoredNode

MOST_DOTS = 5000
ASPECT = 1.5

ALL_BY_RULE = "no answer has words that can be compared"
NO_VECTORS = "the vectors of its answers are not kept any more"
READ_WHOLE = "a model has read all answers at once, and no answer is compared with another"
NOT_COMPARED = "brands and sentiments are read from the words, and no answer is compared with another"
CHANGED = "answers were changed or deleted since"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMap:
    """Why there is none."""

    reason: str


async def map_of(database: Database, generation_id: UUID, nodes: Sequence[StoredNode]) -> ReportMap | NoMap:
    """The map, from at most `MOST_DOTS` different answers; vectors are read a chunk at a time."""
    generation = await database.run(lambda connection: generations.get(connection, generation_id))
    config = GenerationConfig.from_json(generation.config)
    if config.is_direct or config.whole:
        return NoMap(reason=READ_WHOLE if config.whole else NOT_COMPARED)
    try:
        ids, texts = await database.run(lambda connection: answers.frozen_texts(connection, generation_id))
    except NotFound:
        return NoMap(reason=CHANGED)
    prepared = await asyncio.to_thread(prepare, texts)
    if not prepared.distinct:
        return NoMap(reason=ALL_BY_RULE)
    keys = await database.run(partial(codeframes.best_keys, generation_id=generation_id))
    codes = [node for node in nodes if node.node_type == "code"]
    numbers = {node.key: number for number, node in enumerate(codes)}
    coded = np.array([numbers.get(keys.get(ids[row], ""), -1) for row in prepared.first_row], dtype=np.int32)
    placed = np.flatnonzero(coded >= 0)
    drawn = placed[sample_answers(coded[placed], most=MOST_DOTS, seed=int(generation.config.get("seed", 0)))]
    vectors = await _vectors(database, generation_id, drawn, n_distinct=len(prepared.distinct))
    if vectors is None:
        return NoMap(reason=NO_VECTORS)
    return await asyncio.to_thread(_map, codes, nodes, prepared, vectors, (coded, drawn))


async def _vectors(
    database: Database, generation_id: UUID, wanted: npt.NDArray[np.int_], *, n_distinct: int
) -> Vectors | None:
    """Those of the wanted answers, which are places among the distinct ones, ascending; None if any is missing."""
    parts: list[Vectors] = []
    begin = ordinal = 0
    while begin < n_distinct:
        read = partial(units.output, generation_id=generation_id, stage=EMBED, ordinal=ordinal)
        if (chunk := await database.run(read)) is None:
            return None
        vectors = await asyncio.to_thread(read_vectors, [chunk])
        here = wanted[(wanted >= begin) & (wanted < begin + len(vectors))] - begin
        parts.append(vectors[here])
        begin += len(vectors)
        ordinal += 1
    return np.concatenate(parts) if begin == n_distinct else None


def _map(
    codes: Sequence[StoredNode],
    nodes: Sequence[StoredNode],
    prepared: Prepared,
    vectors: Vectors,
    drawn: tuple[npt.NDArray[np.int32], npt.NDArray[np.int_]],
) -> ReportMap:
    coded, places = drawn
    weights = prepared.weights[places]
    themes = _themes(codes, {node.key: node for node in nodes})
    found = project(vectors, coded[places], weights, themes, aspect=ASPECT)
    discs = tuple(
        _disc(code.key, number, found, np.flatnonzero(coded[places] == number), weights)
        for number, code in enumerate(codes)
        if found.radii[number] > 0
    )
    return ReportMap(aspect=ASPECT, discs=discs, n_left_out=int(np.count_nonzero(coded >= 0)) - len(places))


def _themes(codes: Sequence[StoredNode], by_key: Mapping[str, StoredNode]) -> list[int]:
    """Each code's theme at the top, numbered; Other is a theme of its own."""
    tops = []
    for code in codes:
        node = code
        while node.parent_key is not None:
            node = by_key[node.parent_key]
        tops.append(node.key)
    known = {key: number for number, key in enumerate(dict.fromkeys(tops))}
    return [known[key] for key in tops]


def _disc(
    key: str, number: int, found: Projection, places: npt.NDArray[np.intp], weights: npt.NDArray[np.int32]
) -> Disc:
    x, y = found.centres[number]
    dots = tuple(
        Dot(x=float(found.points[place, 0]), y=float(found.points[place, 1]), weight=int(weights[place]))
        for place in places
    )
    return Disc(key=key, x=float(x), y=float(y), radius=float(found.radii[number]), dots=dots)
