"""A generation with another one's codeframe: its answers coded with those codes, what moved, what is new."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from holdfast.codeframe import (
    AssembledFrame,
    Embedder,
    KnownCode,
    Node,
    Taught,
    Wave,
    code_wave,
    compared_with,
    drift,
    folded,
    named_codes,
    named_frame,
    reframe,
    weak_examples,
)
from holdfast.errors import BadInput, Conflict, Problem
from holdfast.service.confirming import Numbers, frame_of
from holdfast.service.frames import Work, frame_result, frame_writer
from holdfast.service.requests import GenerationConfig
from holdfast.service.suggesting import read_known
from holdfast.store import Connection, Database, answers, generations
from holdfast.store.codeframes import StoredNode
from holdfast.store.units import Done


async def check_frame(
    connection: Connection, generation_id: UUID, examples: Sequence[tuple[str, Sequence[str]]] = ()
) -> None:
    """Whether that generation's codeframe can be used again. Raises NotFound, Conflict, BadInput for the examples."""
    nodes = await frame_of(connection, generation_id)
    numbers = Numbers(nodes)
    config = GenerationConfig.from_json((await generations.get(connection, generation_id)).config)
    if config.is_direct:
        raise Conflict(
            f"{config.coding_type} coding needs no frame of an earlier wave: code the new answers the same way"
        )
    if not any(node.node_type == "code" and node.details.get("kind", "content") == "content" for node in nodes):
        raise Conflict("that generation's codeframe has no code but Other, so no answer can be coded with it")
    for text, codes in examples:
        try:
            numbers.of(codes, path=repr(text[:60]))
        except BadInput as error:
            raise BadInput(str(error), problems=[Problem(path="examples", message=str(error))]) from error


@dataclass(frozen=True, kw_only=True)
class _Start:
    """What the answers are coded with."""

    nodes: list[Node]
    codes: list[KnownCode]
    confirmed: list[Taught]
    coded: list[Taught]  # last wave's answers, by the machine
    said: str  # where the codes are from


async def code_with_frame(
    database: Database, generation_id: UUID, config: GenerationConfig, embedder: Embedder
) -> Work:
    """Every answer coded with the frame that `config` names, or with the codes that its examples do.

    Raises NotFound, Conflict if that frame is gone meanwhile.
    """
    last_id = None if config.frame_of is None else UUID(config.frame_of)

    async def read(connection: Connection) -> tuple[_Start, list[int], list[str]]:
        asked = replace(config, examples=tuple(await generations.examples(connection, generation_id)))
        start = _of_examples(asked) if last_id is None else await _of_last(connection, last_id, asked)
        return start, *(await answers.frozen_texts(connection, generation_id))

    start, ids, texts = await database.run(read)
    wave, frame = await asyncio.to_thread(_coded, start, texts, embedder)
    result = frame_result(frame) | ({} if last_id is None else {"wave": _told(wave, frame, last_id)})
    return Work(done=Done(result=result), write=frame_writer(generation_id, frame, ids, texts))


async def _of_last(connection: Connection, last_id: UUID, config: GenerationConfig) -> _Start:
    await check_frame(connection, last_id)
    nodes = await frame_of(connection, last_id)
    last = await read_known(connection, last_id, nodes, config.examples)
    return _Start(
        nodes=[_node(node) for node in nodes],
        codes=[KnownCode(number=each.number or 0, name=each.name, description=each.description) for each in last.nodes],
        confirmed=last.confirmed,
        coded=last.coded,
        said=f"the codeframe of another generation and {len(last.confirmed)} confirmed answers",
    )


def _of_examples(config: GenerationConfig) -> _Start:
    known = named_codes(config.names_given())
    confirmed = [
        Taught(text=text, numbers=tuple(known[key][0] for code in codes if (key := folded(code)) in known))
        for text, codes in config.examples
    ]
    return _Start(
        nodes=named_frame(config.names_given()),
        codes=[KnownCode(number=number, name=name, description="") for number, name in known.values()],
        confirmed=confirmed,
        coded=[],
        said=f"the {len(known)} codes of {len(confirmed)} confirmed answers",
    )


def _coded(start: _Start, texts: Sequence[str], embedder: Embedder) -> tuple[Wave, AssembledFrame]:
    taught = [*start.confirmed, *weak_examples(start.coded, start.confirmed)]
    before = compared_with([each.text for each in start.coded])
    wave = code_wave(texts, start.codes, taught, embedder, before=before)
    notes = [f"coded with {start.said}"]
    if wave.themes:
        named = ", ".join(f"{theme.name} ({theme.n_answers})" for theme in wave.themes[:5])
        notes.append(f"in Other are answers that say the same, which may need codes of their own: {named}")
    reads = None if embedder.whole_corpus else embedder
    return wave, reframe(start.nodes, wave.now, embedder=reads, notes=notes)


def _node(node: StoredNode) -> Node:
    return Node(
        key=node.key,
        parent=node.parent_key,
        node_type="theme" if node.node_type == "theme" else "code",
        kind=node.details.get("kind", "content"),
        level=node.level,
        position=node.position,
        number=node.number or 0,
        name=node.name,
        description=node.description,
        confidence=node.confidence,
        keyphrases=tuple(node.details.get("keyphrases", ())),
        exemplars=(),
        n_answers=0,
        share=0.0,
        existing=node.details.get("existing"),
    )


def _told(wave: Wave, frame: AssembledFrame, last_id: UUID) -> dict[str, Any]:
    names = {node.number: node.name for node in frame.nodes if node.node_type == "code"}
    moved = drift(wave.then.complete, wave.now.complete)
    return {
        "frame_of": str(last_id),
        "n_then": len(wave.then.numbers),
        "drift": [asdict(each) | {"name": names[each.number]} for each in moved if each.number in names],
        "new_themes": [asdict(theme) | {"quotes": list(theme.quotes)} for theme in wave.themes],
    }
