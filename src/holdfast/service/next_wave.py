"""A generation with another one's codeframe: its answers coded with those codes, what moved, what is new."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from holdfast.codeframe import (
    AssembledFrame,
    Embedder,
    KnownCode,
    Node,
    Wave,
    code_wave,
    compared_with,
    drift,
    reframe,
    weak_examples,
)
from holdfast.errors import Conflict
from holdfast.service.confirming import frame_of
from holdfast.service.frames import Work, frame_result, frame_writer
from holdfast.service.requests import GenerationConfig
from holdfast.service.suggesting import Known, read_known
from holdfast.store import Connection, Database, answers, generations
from holdfast.store.codeframes import StoredNode
from holdfast.store.units import Done


async def check_frame(connection: Connection, generation_id: UUID) -> None:
    """Whether that generation's codeframe can be used again. Raises NotFound, Conflict."""
    await frame_of(connection, generation_id)
    config = GenerationConfig.from_json((await generations.get(connection, generation_id)).config)
    if config.is_direct:
        raise Conflict(
            f"{config.coding_type} coding needs no frame of an earlier wave: code the new answers the same way"
        )


async def code_with_frame(
    database: Database, generation_id: UUID, config: GenerationConfig, embedder: Embedder
) -> Work:
    """Every answer coded with the frame that `config` names. Raises NotFound, Conflict if it is gone meanwhile."""
    last_id = UUID(config.frame_of or "")

    async def read(connection: Connection) -> tuple[list[StoredNode], Known, list[int], list[str]]:
        await check_frame(connection, last_id)
        nodes = await frame_of(connection, last_id)
        ids, texts = await answers.frozen_texts(connection, generation_id)
        return nodes, await read_known(connection, last_id, nodes), ids, texts

    nodes, last, ids, texts = await database.run(read)
    wave, frame = await asyncio.to_thread(_coded, nodes, last, texts, embedder)
    result = frame_result(frame) | {"wave": _told(wave, frame, last_id)}
    return Work(done=Done(result=result), write=frame_writer(generation_id, frame, ids, texts))


def _coded(
    nodes: Sequence[StoredNode], last: Known, texts: Sequence[str], embedder: Embedder
) -> tuple[Wave, AssembledFrame]:
    codes = [KnownCode(number=node.number or 0, name=node.name, description=node.description) for node in last.nodes]
    taught = [*last.confirmed, *weak_examples(last.coded, last.confirmed)]
    before = compared_with([each.text for each in last.coded])
    wave = code_wave(texts, codes, taught, embedder, before=before)
    notes = [f"coded with the codeframe of another generation and {len(last.confirmed)} confirmed answers of it"]
    if wave.themes:
        named = ", ".join(f"{theme.name} ({theme.n_answers})" for theme in wave.themes[:5])
        notes.append(f"in Other are answers that say the same, which may need codes of their own: {named}")
    reads = None if embedder.whole_corpus else embedder
    return wave, reframe([_node(node) for node in nodes], wave.now, embedder=reads, notes=notes)


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
