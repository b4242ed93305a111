"""Answers coded by a model against the codes of a finished frame."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from holdfast.codeframe.assignment import Coding, assign_rows
from holdfast.codeframe.bundles import Reading
from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.framing import unread_note
from holdfast.codeframe.mece import score_mece
from holdfast.codeframe.merging import name_vectors
from holdfast.codeframe.preprocess import Prepared, spelled_alike
from holdfast.codeframe.replies import sentence, share
from holdfast.codeframe.rules import RULES
from holdfast.codeframe.values import AssembledFrame, Assignments, Node

VERSION = "codes-1"
MOST_CODES = 3  # of an answer
EXAMPLES, EXAMPLE_CHARS = 2, 100
DESCRIPTION_CHARS = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCode:
    """A code as the model sees it."""

    id: int  # its number in the frame
    name: str
    description: str
    examples: tuple[str, ...]

    @classmethod
    def of(cls, node: Node, texts: Sequence[str]) -> Self:
        """`texts` are the rows'."""
        shown = [sentence(texts[row], EXAMPLE_CHARS) for row in node.exemplars[:EXAMPLES]]
        return cls(
            id=node.number,
            name=node.name,
            description=sentence(node.description, DESCRIPTION_CHARS),
            examples=tuple(shown),
        )


@dataclass(frozen=True, kw_only=True)
class FrameCoder:
    """Reads `[numbers of the codes, confidence]` in a text, the best code first; no number where none fits."""

    codes: Sequence[ShownCode]
    version: str = VERSION

    @classmethod
    def of(cls, frame: AssembledFrame, texts: Sequence[str]) -> Self:
        """For the codes that a frame has by its clusters."""
        return cls(codes=[ShownCode.of(node, texts) for node in frame.nodes if _is_code(node)])

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(code) for code in self.codes]

    @classmethod
    def from_json(cls, value: Sequence[Mapping[str, Any]]) -> Self:
        return cls(codes=[ShownCode(**{**part, "examples": tuple(part["examples"])}) for part in value])

    @property
    def properties(self) -> Mapping[str, Any]:
        return {"codes": {"type": "array", "items": {"type": "integer"}}, "confidence": {"type": "number"}}

    @cached_property
    def _known(self) -> frozenset[int]:
        return frozenset(code.id for code in self.codes)

    def material(self) -> Mapping[str, Any]:
        return {"codes": [{**asdict(code), "examples": list(code.examples)} for code in self.codes]}

    def tokens(self, text: str) -> int:
        return 40

    def read(self, entry: Mapping[str, Any], text: str) -> Reading | None:
        said = entry.get("codes")
        if not isinstance(said, list):
            return None
        numbers = [one for one in said if isinstance(one, int) and not isinstance(one, bool) and one in self._known]
        # Codes that there are not: the model has another frame in mind.
        if said and not numbers:
            return None
        return [list(dict.fromkeys(numbers))[:MOST_CODES], share(entry.get("confidence"))]


def recode(
    frame: AssembledFrame,
    prepared: Prepared,
    texts: Sequence[str],
    read: Mapping[str, Reading],
    *,
    embedder: Embedder | None = None,
) -> AssembledFrame:
    """The frame with its codes given as a model has read the distinct texts; one without a reading is in Other."""
    numbers = [node.number for node in frame.nodes if _is_code(node)]
    other = next(node.number for node in frame.nodes if node.kind == "other" and node.node_type == "code")
    rule_numbers = {key: rule.number for key, rule in RULES.items()}
    coding = _coding(prepared.distinct, read, numbers)
    given = assign_rows(prepared, coding, numbers=numbers, other=other, rule_numbers=rule_numbers)
    nodes = _counted(frame.nodes, given, prepared.n_rows)
    names = name_vectors([node.name for node in nodes], embedder)
    notes = (*frame.notes, *unread_note(spelled_alike(texts, prepared), prepared.distinct, read))
    mece = replace(score_mece(nodes, given, names), stability=frame.mece.stability)
    return AssembledFrame(nodes=nodes, assignments=given, mece=mece, notes=notes)


def _is_code(node: Node) -> bool:
    return node.kind == "content" and node.node_type == "code"


def _coding(distinct: Sequence[str], read: Mapping[str, Reading], numbers: Sequence[int]) -> Coding:
    place = {number: n for n, number in enumerate(numbers)}
    codes = np.full((len(distinct), MOST_CODES), -1, dtype=np.int32)
    scores = np.zeros((len(distinct), MOST_CODES), dtype=np.float32)
    for text, said in enumerate(distinct):
        found, sure = read.get(said, ((), 0.0))
        for rank, number in enumerate(found):
            codes[text, rank], scores[text, rank] = place[number], sure
    return Coding(codes=codes, scores=scores)


def _counted(nodes: Sequence[Node], given: Assignments, n_rows: int) -> tuple[Node, ...]:
    """The nodes with the rows they have now; typical answers are those of before that are still theirs, then others."""
    rows = np.repeat(np.arange(n_rows), np.diff(given.offsets))
    keys = {node.key: node for node in nodes}
    below: dict[str, list[int]] = {}
    for node in nodes:
        key: str | None = node.key
        while key is not None:
            below.setdefault(key, []).append(node.number)
            key = keys[key].parent
    counted = []
    for node in nodes:
        own = np.unique(rows[np.isin(given.numbers, below[node.key])])
        mine = frozenset(own.tolist())
        kept = [row for row in node.exemplars if row in mine] or own[: len(node.exemplars) or 1].tolist()
        counted.append(
            replace(node, n_answers=len(own), share=round(len(own) / max(n_rows, 1), 4), exemplars=tuple(kept))
        )
    return tuple(counted)
