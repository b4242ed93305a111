"""Last wave's codeframe over new answers: the same nodes and numbers, with this wave's counts, quotes and check."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from holdfast.codeframe.assembly import EXEMPLARS, OTHER_NAME
from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.mece import score_mece
from holdfast.codeframe.merging import name_vectors
from holdfast.codeframe.rules import RULES
from holdfast.codeframe.values import OTHER_NUMBER, AssembledFrame, Assignments, Node
from holdfast.codeframe.waves import CodedRows

_SET_ASIDE = {OTHER_NAME.casefold(), *(rule.name.casefold() for rule in RULES.values())}


def folded(name: str) -> str:
    """A code's name as names are compared."""
    return " ".join(name.split()).casefold()


def named_codes(names: Iterable[str]) -> dict[str, tuple[int, str]]:
    """`folded` name -> number and name of each code, by the order of the names; Other and rule codes are none.

    White space and case make no other code.
    """
    found: dict[str, str] = {}
    for name in sorted(" ".join(name.split()) for name in names):
        found.setdefault(folded(name), name)
    kept = [key for key in sorted(found) if key and key not in _SET_ASIDE]
    return {key: (number, found[key]) for number, key in enumerate(kept, start=1)}


def named_frame(names: Iterable[str]) -> list[Node]:
    """A flat frame of these codes and Other, for `reframe`."""
    codes = [*named_codes(names).values(), (OTHER_NUMBER, OTHER_NAME)]
    return [
        Node(
            key="other" if number == OTHER_NUMBER else f"code/{number}",
            parent=None,
            node_type="code",
            kind="other" if number == OTHER_NUMBER else "content",
            level=1,
            position=place,
            number=number,
            name=name,
            description="Answers that fit none of the codes." if number == OTHER_NUMBER else "",
            confidence=1.0,
            keyphrases=(),
            exemplars=(),
            n_answers=0,
            share=0.0,
            existing=None if number == OTHER_NUMBER else name,
        )
        for place, (number, name) in enumerate(codes)
    ]


def reframe(
    nodes: Sequence[Node], rows: CodedRows, *, embedder: Embedder | None, notes: Sequence[str]
) -> AssembledFrame:
    """The frame with every row coded; `nodes` are last wave's, a parent before its children, with an Other.

    Rule codes are those that occur now.
    """
    numbers = rows.complete
    kept = _with_rules(nodes, {rule for rule in rows.rules if rule is not None})
    scores = [own or ((0.0,) if rule is None else (1.0,)) for own, rule in zip(rows.scores, rows.rules, strict=True)]
    offsets = np.concatenate([[0], np.cumsum([len(own) for own in numbers])]).astype(np.int32)
    assignments = Assignments(
        best=np.array([own[0] for own in numbers], dtype=np.int32),
        score=np.array([own[0] for own in scores], dtype=np.float32),
        offsets=offsets,
        numbers=np.array([number for own in numbers for number in own], dtype=np.int32),
        scores=np.array([score for own in scores for score in own], dtype=np.float32),
    )
    counted = _counted(kept, numbers, scores)
    mece = score_mece(counted, assignments, name_vectors([node.name for node in counted], embedder))
    return AssembledFrame(nodes=tuple(counted), assignments=assignments, mece=mece, notes=tuple(notes))


def _with_rules(nodes: Sequence[Node], found: set[str]) -> list[Node]:
    """Without last wave's rule codes, with this wave's beside Other."""
    rules = {rule.number: rule for rule in RULES.values()}
    kept = [node for node in nodes if node.node_type == "theme" or node.number not in rules]
    other = next(node for node in kept if node.kind == "other")
    for place, key in enumerate((key for key in RULES if key in found), start=1):
        rule = RULES[key]
        kept.append(
            replace(
                other,
                key=f"rule/{key}",
                kind="rule",
                position=other.position + place,
                number=rule.number,
                name=rule.name,
                description=rule.description,
            )
        )
    return kept


def _counted(
    nodes: Sequence[Node], numbers: Sequence[tuple[int, ...]], scores: Sequence[tuple[float, ...]]
) -> list[Node]:
    rows = _rows_below(nodes, numbers)
    sure = {(row, n): s for row, own in enumerate(numbers) for n, s in zip(own, scores[row], strict=True)}
    found = []
    for node in nodes:
        mine = rows[node.key]
        typical = sorted(mine, key=lambda row: (-sure.get((row, node.number), scores[row][0]), row))[:EXEMPLARS]
        share = round(len(mine) / max(len(numbers), 1), 4)
        found.append(replace(node, n_answers=len(mine), share=share, exemplars=tuple(typical)))
    return found


def _rows_below(nodes: Sequence[Node], numbers: Sequence[tuple[int, ...]]) -> Mapping[str, set[int]]:
    """The rows of each code, and of each theme those of all codes below it."""
    by_number = {node.number: node.key for node in nodes if node.node_type == "code"}
    parents = {node.key: node.parent for node in nodes}
    rows: dict[str, set[int]] = {node.key: set() for node in nodes}
    for row, own in enumerate(numbers):
        for number in own:
            key: str | None = by_number[number]
            while key is not None:
                rows[key].add(row)
                key = parents[key]
    return rows
