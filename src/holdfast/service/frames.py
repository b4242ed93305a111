"""What a stage commits, and how the pipeline's frame becomes the rows that are kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from holdfast.codeframe import AssembledFrame, Prepared
from holdfast.codeframe import Node as FrameNode
from holdfast.store import Connection, codeframes
from holdfast.store.codeframes import Node
from holdfast.store.units import Done, NewUnit, Write

QUOTE = 300  # characters of an example that are kept with its node; the whole answer stays with the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A unit's work, ready to be committed in one transaction."""

    done: Done
    following: Sequence[NewUnit] = ()
    write: Write | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A generation's frozen input."""

    answer_ids: list[int]
    texts: list[str]
    prepared: Prepared


def frame_result(frame: AssembledFrame) -> dict[str, Any]:
    """The small figures of a finished frame."""
    content = [node for node in frame.nodes if node.kind == "content"]
    return {
        "mece": frame.mece.to_json(),
        "notes": list(frame.notes),
        "n_themes": sum(node.node_type == "theme" for node in content),
        "n_codes": sum(node.node_type == "code" for node in content),
    }


def frame_writer(generation_id: UUID, frame: AssembledFrame, answer_ids: list[int], texts: Sequence[str]) -> Write:
    """Writes the frame's nodes and every answer's codes."""
    nodes = [_node(node, answer_ids, texts) for node in frame.nodes]

    async def write(connection: Connection) -> None:
        await codeframes.save(connection, generation_id, nodes, _rows(frame, answer_ids))

    return write


def _node(node: FrameNode, answer_ids: list[int], texts: Sequence[str]) -> Node:
    return Node(
        key=node.key,
        parent_key=node.parent,
        node_type=node.node_type,
        level=node.level,
        position=node.position,
        number=node.number,
        name=node.name,
        description=node.description,
        confidence=node.confidence,
        n_answers=node.n_answers,
        examples=[{"answer_id": answer_ids[row], "text": texts[row][:QUOTE]} for row in node.exemplars],
        details={"kind": node.kind, "keyphrases": list(node.keyphrases), "existing": node.existing},
    )


def _rows(frame: AssembledFrame, answer_ids: list[int]) -> Iterator[tuple[int, str, int, float]]:
    given = frame.assignments
    keys = {number: node.key for number, node in frame.by_number.items()}
    offsets, numbers, scores = given.offsets.tolist(), given.numbers.tolist(), given.scores.tolist()
    for row, answer_id in enumerate(answer_ids):
        for rank, place in enumerate(range(offsets[row], offsets[row + 1])):
            yield answer_id, keys[numbers[place]], rank, scores[place]
