"""A codeframe of codes that are known before the answers are clustered: brands, sentiments."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.codeframe.bundles import Reading
from holdfast.codeframe.rules import RULES
from holdfast.codeframe.values import OTHER_NUMBER, AssembledFrame, Assignments, Kind, Mece, Node, NodeType

EXEMPLARS = 5

RowCodes = tuple[tuple[int, float], ...]  # a row's codes with their scores, the best first


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A node without its size."""

    key: str
    number: int
    name: str
    description: str
    parent: str | None = None
    node_type: NodeType = "code"
    kind: Kind = "content"
    confidence: float = 1.0
    keyphrases: tuple[str, ...] = ()
    existing: str | None = None


def other_draft(description: str, *, parent: str | None = None) -> Draft:
    """The code of what fits no other; why it does not is the coding's to say."""
    return Draft(key="other", number=OTHER_NUMBER, name="Other", description=description, parent=parent, kind="other")


def rule_drafts(rows: Sequence[RowCodes], *, parent: str | None) -> list[Draft]:
    """The rule codes that occur."""
    used = {number for codes in rows for number, _ in codes}
    return [
        Draft(
            key=f"rule/{rule.key}",
            number=rule.number,
            name=rule.name,
            description=rule.description,
            parent=parent,
            kind="rule",
        )
        for rule in RULES.values()
        if rule.number in used
    ]


def unread_note(texts: Sequence[str], asked: Collection[str], read: Mapping[str, Reading]) -> list[str]:
    """How many answers a model was asked about in vain."""
    missing = set(asked) - read.keys()
    n = sum(text in missing for text in texts)
    return [f"the model gave no usable reading of {n} {'answer' if n == 1 else 'answers'}; see Other"] if n else []


def frame_of(
    texts: Sequence[str], drafts: Sequence[Draft], rows: Sequence[RowCodes], *, mece: Mece, notes: Sequence[str]
) -> AssembledFrame:
    """The frame with every row coded; `drafts` come in reading order, a parent before its children."""
    sizes, shown = _sizes(drafts, rows), _exemplars(texts, rows)
    places: Counter[str | None] = Counter()
    below: dict[str, list[int]] = {}
    for draft in drafts:
        if draft.parent is not None:
            below.setdefault(draft.parent, []).append(draft.number)
    nodes = []
    for draft in drafts:
        of_theme = below.get(draft.key, [])
        exemplars = shown.get(draft.number) or [shown[n][0] for n in of_theme if shown.get(n)]
        nodes.append(_node(draft, sizes[draft.key], len(rows), places[draft.parent], exemplars))
        places[draft.parent] += 1
    return AssembledFrame(nodes=tuple(nodes), assignments=assignments_of(rows), mece=mece, notes=tuple(notes))


def _node(draft: Draft, n: int, n_rows: int, position: int, exemplars: Sequence[int]) -> Node:
    return Node(
        key=draft.key,
        parent=draft.parent,
        node_type=draft.node_type,
        kind=draft.kind,
        level=1 if draft.parent is None else 2,
        position=position,
        number=draft.number,
        name=draft.name,
        description=draft.description,
        confidence=round(draft.confidence, 3),
        keyphrases=draft.keyphrases,
        exemplars=tuple(exemplars[:EXEMPLARS]),
        n_answers=n,
        share=round(n / max(n_rows, 1), 4),
        existing=draft.existing,
    )


def assignments_of(rows: Sequence[RowCodes]) -> Assignments:
    """The rows' codes as arrays; every row has at least one."""
    flat = [pair for codes in rows for pair in codes]
    return Assignments(
        best=np.array([codes[0][0] for codes in rows], dtype=np.int32),
        score=np.array([codes[0][1] for codes in rows], dtype=np.float32),
        offsets=np.concatenate([[0], np.cumsum([len(codes) for codes in rows])]).astype(np.int32),
        numbers=np.array([number for number, _ in flat], dtype=np.int32),
        scores=np.array([score for _, score in flat], dtype=np.float32),
    )


def _sizes(drafts: Sequence[Draft], rows: Sequence[RowCodes]) -> Mapping[str, int]:
    """Rows of each code, and of each theme's codes together."""
    keys = {draft.number: [draft.key, *([draft.parent] if draft.parent else [])] for draft in drafts}
    sizes: Counter[str] = Counter({draft.key: 0 for draft in drafts})
    for codes in rows:
        sizes.update({key for number, _ in codes for key in keys[number]})
    return sizes


def _exemplars(texts: Sequence[str], rows: Sequence[RowCodes]) -> dict[int, list[int]]:
    """A few rows of each code: the surest, then the most frequent texts; the same texts whatever the rows' order."""
    uses: dict[int, dict[str, tuple[float, int, int]]] = {}  # number -> text -> (score, rows, first row)
    for row, codes in enumerate(rows):
        for number, score in codes:
            found = uses.setdefault(number, {})
            _, n, first = found.get(texts[row], (0.0, 0, row))
            found[texts[row]] = round(score, 2), n + 1, first
    ranked = {
        number: sorted(found.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
        for number, found in uses.items()
    }
    return {number: [first for _, (_, _, first) in found[:EXEMPLARS]] for number, found in ranked.items()}
