"""The codeframe as a whole: codes with names of their own, themes above them, every row coded, the check."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np

from holdfast.codeframe.assignment import assign_rows, code_texts
from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.grouping import at_home, cut_to_hold, levels_of, theme_sizes
from holdfast.codeframe.mece import score_mece
from holdfast.codeframe.merging import Code, make_codes, name_vectors
from holdfast.codeframe.naming import identity, sentence_case, stems
from holdfast.codeframe.preprocess import Prepared
from holdfast.codeframe.proposals import ProposedTheme, Reviewed, placed
from holdfast.codeframe.rules import RULES
from holdfast.codeframe.stability import stability
from holdfast.codeframe.themes import Group, joiner_of, name_themes, spare_names
from holdfast.codeframe.values import (
    APART_NUMBER,
    FIRST_THEME,
    OTHER_NUMBER,
    AssembledFrame,
    Assignments,
    ClusterLabel,
    ClusterResult,
    FrameConfig,
    Ints,
    Node,
    Vectors,
)

OTHER_NAME, APART_NAME = "Other", "No content"
EXEMPLARS = 5


class _Size(TypedDict):
    n_answers: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branch:
    """A theme, or at the bottom a code, with all below it."""

    name: str
    codes: tuple[int, ...]  # all codes below
    children: tuple["_Branch", ...]  # empty for a code
    n: int  # rows
    description: str = ""  # of a theme that was proposed with one


def assemble(
    prepared: Prepared,
    vectors: Vectors,
    clustering: ClusterResult,
    labels: Mapping[int, ClusterLabel] | Reviewed,
    config: FrameConfig,
    *,
    embedder: Embedder | None = None,
) -> AssembledFrame:
    """Merge, name, group, assign, check; what was proposed for the frame as a whole comes before our own choices."""
    reviewed = labels if isinstance(labels, Reviewed) else Reviewed(labels=labels)
    proposal = reviewed.proposal
    codes = make_codes(clustering, reviewed.labels, config, embedder=embedder, merges=proposal.merges)
    code_of = np.full(max(clustering.n_clusters, 1), -1, dtype=np.int32)
    for place, code in enumerate(codes):
        code_of[list(code.clusters)] = place
    coding = code_texts(vectors, _prototypes(codes, clustering), clustering, code_of)
    numbers, rule_numbers = range(1, len(codes) + 1), {key: rule.number for key, rule in RULES.items()}
    drafted = assign_rows(prepared, coding, numbers=numbers, other=OTHER_NUMBER, rule_numbers=rule_numbers)
    counts = _counts(drafted, len(codes))
    levels = _levels(codes, clustering, config, reviewed)
    roots = _grow(codes, clustering, levels, counts=counts, embedder=embedder)
    order = [code for root in roots for code in _leaves(root)]
    place_of = {code: place for place, code in enumerate(order)}
    final = [place_of[code] + 1 for code in range(len(codes))]
    assignments = assign_rows(prepared, coding, numbers=final, other=OTHER_NUMBER, rule_numbers=rule_numbers)
    nodes = _Writer(prepared, codes, assignments, place_of).write(roots)
    names = name_vectors([node.name for node in nodes], embedder)
    notes = (*clustering.notes, *_notes(clustering, reviewed.labels), *proposal.notes)
    stable = stability(prepared, vectors, k=clustering.n_clusters, seed=config.seed)
    mece = replace(score_mece(nodes, assignments, names), stability=stable)
    return AssembledFrame(nodes=nodes, assignments=assignments, mece=mece, notes=notes)


def _prototypes(codes: Sequence[Code], clustering: ClusterResult) -> Vectors:
    """Unit mean of a code's clusters."""
    found = np.zeros((len(codes), clustering.centroids.shape[1]), dtype=np.float32)
    for place, code in enumerate(codes):
        mass = np.array([clustering.briefs[k].n_answers for k in code.clusters], dtype=np.float32)
        found[place] = mass @ clustering.centroids[list(code.clusters)]
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(norms, 1e-9), dtype=np.float32)


def _counts(assignments: Assignments, n_codes: int) -> list[int]:
    """Rows of each draft code, 1.. ."""
    return [int(n) for n in np.bincount(np.clip(assignments.numbers, 0, n_codes + 1), minlength=n_codes + 2)[1:-1]]


def _notes(clustering: ClusterResult, labels: Mapping[int, ClusterLabel]) -> tuple[str, ...]:
    notes = []
    missing = [brief for brief in clustering.briefs if brief.k not in labels]
    if missing:
        answers = sum(brief.n_answers for brief in missing)
        notes.append(f"{len(missing)} clusters with {answers} answers have no label; their answers are in {OTHER_NAME}")
    if unread := sum(label.unread for label in labels.values()):
        clusters = sum(label.unread > 0 for label in labels.values())
        notes.append(
            f"{unread} parts of {clusters} large clusters could not be read; their labels are made of the others"
        )
    return tuple(notes)


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of themes: where each cluster goes, and what was proposed for the places, if anything was."""

    themes: Sequence[int]  # cluster -> place
    proposed: Sequence[ProposedTheme]


def _levels(
    codes: Sequence[Code], clustering: ClusterResult, config: FrameConfig, reviewed: Reviewed
) -> Iterable[_Level]:
    """The levels of themes the frame is to have, from the codes up."""
    sizes = theme_sizes(levels_of(config.hierarchy, len(codes)), len(codes))
    names = {k: code.name for code in codes for k in code.clusters}
    for depth, n_themes in enumerate(reversed(sizes)):
        proposed = reviewed.proposal.level(depth)
        if proposed:
            yield _Level(placed(proposed, clustering.centroids), proposed)
        else:
            themes = cut_to_hold(clustering.tree, clustering.briefs, n_themes)
            yield _Level(at_home(themes, clustering.briefs, names) if len(sizes) == 1 else themes, ())


def _grow(
    codes: Sequence[Code],
    clustering: ClusterResult,
    levels: Iterable[_Level],
    *,
    counts: Sequence[int],
    embedder: Embedder | None,
) -> list[_Branch]:
    """The tree of themes over the codes, largest first on every level."""
    branches = [_Branch(name=code.name, codes=(n,), children=(), n=counts[n]) for n, code in enumerate(codes)]
    taken = {identity(code.name) for code in codes}
    taken |= {stems(name) for name in (OTHER_NAME, APART_NAME)} | {stems(rule.name) for rule in RULES.values()}
    joiner = joiner_of(clustering.briefs)
    for level in levels:
        grouped: dict[int, list[_Branch]] = {}
        for branch in branches:
            grouped.setdefault(level.themes[codes[branch.codes[0]].clusters[0]], []).append(branch)
        groups = [(place, sorted(group, key=lambda b: (-b.n, b.codes))) for place, group in sorted(grouped.items())]
        given = [_proposed(level, place, taken) for place, _ in groups]
        left = [
            _group(group, codes, joiner=joiner) for (_, group), own in zip(groups, given, strict=True) if own is None
        ]
        names = iter(name_themes(left, clustering.briefs, clustering.centroids, taken=taken, embedder=embedder))
        branches = [
            _Branch(
                name=own.name if own else next(names),
                codes=tuple(c for b in group for c in b.codes),
                children=tuple(group),
                n=sum(b.n for b in group),
                description=own.description if own else "",
            )
            for (_, group), own in zip(groups, given, strict=True)
        ]
    return sorted(branches, key=lambda b: (-b.n, b.codes))


def _proposed(level: _Level, place: int, taken: set[frozenset[str]]) -> ProposedTheme | None:
    """The theme proposed for the place, unless its name is another's; its name is taken then."""
    own = level.proposed[place] if level.proposed else None
    if own is None or identity(own.name) in taken:
        return None
    taken.add(identity(own.name))
    return own


def _group(branches: Sequence[_Branch], codes: Sequence[Code], *, joiner: str) -> Group:
    below = [code for branch in branches for code in branch.codes]
    first = codes[below[0]]
    others = (*first.alternatives, *map(sentence_case, first.keyphrases))
    spare = spare_names([branch.name for branch in branches], others, joiner=joiner)
    return Group(tuple(sorted(k for code in below for k in codes[code].clusters)), spare)


def _leaves(branch: _Branch) -> list[int]:
    if not branch.children:
        return list(branch.codes)
    return [code for child in branch.children for code in _leaves(child)]


class _Writer:
    """Writes the nodes in reading order, a parent before its children."""

    def __init__(
        self, prepared: Prepared, codes: Sequence[Code], assignments: Assignments, place_of: Mapping[int, int]
    ) -> None:
        self._prepared, self._codes, self._place_of = prepared, codes, place_of
        self._rows = np.repeat(np.arange(prepared.n_rows), np.diff(assignments.offsets))
        self._numbers: Ints = assignments.numbers
        self._nodes: list[Node] = []
        self._themes = 0

    def write(self, roots: Sequence[_Branch]) -> tuple[Node, ...]:
        for position, root in enumerate(roots):
            self._branch(root, None, level=1, position=position)
        self._apart(themed=any(root.children for root in roots), position=len(roots))
        return tuple(self._nodes)

    def _branch(self, branch: _Branch, parent: str | None, *, level: int, position: int) -> None:
        if not branch.children:
            self._code(branch.codes[0], parent, level=level, position=position)
            return
        self._themes += 1
        key = f"theme/{self._themes}"
        below = [self._codes[code] for code in branch.codes]
        node = Node(
            key=key,
            parent=parent,
            node_type="theme",
            kind="content",
            level=level,
            position=position,
            number=FIRST_THEME + self._themes - 1,
            name=branch.name,
            description=branch.description or _joined([self._codes[c].name for c in branch.codes]),
            confidence=round(float(np.mean([code.confidence for code in below])), 3),
            keyphrases=tuple(dict.fromkeys(phrase for code in below for phrase in code.keyphrases[:2]))[:8],
            exemplars=tuple(self._row(code.exemplars[0]) for code in below[:EXEMPLARS] if code.exemplars),
            clusters=tuple(sorted(k for code in below for k in code.clusters)),
            **self._size([self._place_of[code] + 1 for code in branch.codes]),
        )
        self._nodes.append(node)
        for place, child in enumerate(branch.children):
            self._branch(child, key, level=level + 1, position=place)

    def _code(self, place: int, parent: str | None, *, level: int, position: int) -> None:
        code, number = self._codes[place], self._place_of[place] + 1
        node = Node(
            key=f"code/{number}",
            parent=parent,
            node_type="code",
            kind="content",
            level=level,
            position=position,
            number=number,
            name=code.name,
            description=code.description,
            confidence=code.confidence,
            keyphrases=code.keyphrases,
            exemplars=tuple(self._row(distinct) for distinct in code.exemplars[:EXEMPLARS]),
            existing=code.existing,
            clusters=code.clusters,
            **self._size([number]),
        )
        self._nodes.append(node)

    def _apart(self, *, themed: bool, position: int) -> None:
        """Other and the rule codes that occur, below a theme of their own when there are themes."""
        found = [("rule", f"rule/{key}", RULES[key]) for key in self._prepared.rule_counts]
        parent, level = ("theme/apart", 2) if themed else (None, 1)
        blank = Node(
            key="theme/apart",
            parent=None,
            node_type="theme",
            kind="rule",
            level=1,
            position=position,
            number=APART_NUMBER,
            name=APART_NAME,
            description="Answers that fit no code, or that say nothing.",
            confidence=1.0,
            keyphrases=(),
            exemplars=(),
            n_answers=0,
            share=0.0,
        )
        codes = [
            replace(
                blank,
                key="other",
                kind="other",
                number=OTHER_NUMBER,
                name=OTHER_NAME,
                description="Answers that are not near enough to any code; read them for codes that are missing.",
            ),
            *(
                replace(blank, key=key, number=rule.number, name=rule.name, description=rule.description)
                for _, key, rule in found
            ),
        ]
        if themed:
            self._nodes.append(replace(blank, **self._size([code.number for code in codes])))
        first = 0 if themed else position
        for place, code in enumerate(codes, first):
            own = replace(code, node_type="code", parent=parent, level=level, position=place)
            self._nodes.append(replace(own, **self._size([own.number]), exemplars=self._first_rows(own.number)))

    def _first_rows(self, number: int) -> tuple[int, ...]:
        return tuple(int(row) for row in self._rows[self._numbers == number][:EXEMPLARS])

    def _size(self, numbers: Sequence[int]) -> _Size:
        rows = np.unique(self._rows[np.isin(self._numbers, numbers)])
        return {"n_answers": len(rows), "share": round(len(rows) / max(self._prepared.n_rows, 1), 4)}

    def _row(self, distinct: int) -> int:
        return int(self._prepared.first_row[distinct])


def _joined(names: Sequence[str]) -> str:
    shown = [name[:1].lower() + name[1:] if name[1:2].islower() else name for name in names]
    more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
    return sentence_join(shown[:6]) + more + "."


def sentence_join(parts: Sequence[str]) -> str:
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]
