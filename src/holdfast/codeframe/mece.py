"""How mutually exclusive and collectively exhaustive a codeframe is, and what to look at."""

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.values import Assignments, Mece, MeceIssue, Node, Vectors

SAME_NAME, LIKE_NAME = 0.85, 0.70
UNCOVERED = 0.10  # of the rows
TOGETHER = 0.40  # of the smaller code's rows that the larger one has too
MOST_ISSUES = 50


def score_mece(nodes: Sequence[Node], assignments: Assignments, names: Vectors) -> Mece:
    """`names` are the unit vectors of the nodes' names, row by row; only content codes are compared."""
    places = [n for n, node in enumerate(nodes) if node.node_type == "code" and node.kind == "content"]
    codes = [nodes[n] for n in places]
    overlaps = _name_overlaps(codes, names[places] if places else names[:0])
    pairs = max(len(codes) * (len(codes) - 1) / 2, 1)
    double, together = _double_coded(codes, assignments)
    weight = sum(1.0 if issue.severity == "error" else 0.5 for issue in overlaps)
    exclusivity = max(0.0, 1.0 - double - weight / pairs)
    covered, uncovered = _coverage(nodes, assignments)
    issues = sorted([*uncovered, *overlaps, *together], key=lambda issue: (issue.severity, -issue.value, issue.nodes))
    return Mece(
        score=round(50 * (exclusivity + covered), 1),
        exclusivity=round(exclusivity, 4),
        exhaustiveness=round(covered, 4),
        issues=tuple(issues[:MOST_ISSUES]),
    )


def _name_overlaps(codes: Sequence[Node], names: Vectors) -> list[MeceIssue]:
    similar = names @ names.T
    found = []
    for a, b in np.argwhere(np.triu(similar >= LIKE_NAME, k=1)):
        near = float(similar[a, b])
        found.append(
            MeceIssue(
                kind="overlap",
                severity="error" if near >= SAME_NAME else "warning",
                message=f"“{codes[a].name}” and “{codes[b].name}” are hard to tell apart by name; merge or rename one",
                nodes=(codes[a].key, codes[b].key),
                value=round(near, 3),
            )
        )
    return found


def _double_coded(codes: Sequence[Node], assignments: Assignments) -> tuple[float, list[MeceIssue]]:
    """The share of rows with more than one code, and the pairs of codes that mostly come together."""
    counts = np.diff(assignments.offsets)
    if len(counts) == 0:
        return 0.0, []
    together: dict[tuple[int, int], int] = {}
    for row in np.flatnonzero(counts > 1):
        for pair in itertools.combinations(sorted(assignments.codes(int(row))), 2):
            together[pair] = together.get(pair, 0) + 1
    by_number = {code.number: code for code in codes}
    found = [
        issue
        for (a, b), n in sorted(together.items())
        if a in by_number and b in by_number and (issue := _pair_issue(by_number[a], by_number[b], n))
    ]
    return float(np.mean(counts > 1)), found


def _pair_issue(a: Node, b: Node, n: int) -> MeceIssue | None:
    share = n / max(min(a.n_answers, b.n_answers), 1)
    if share < TOGETHER:
        return None
    message = f"“{a.name}” and “{b.name}” share {n} answers, {share:.0%} of the smaller one"
    return MeceIssue(
        kind="double_coded", severity="warning", message=message, nodes=(a.key, b.key), value=round(share, 3)
    )


def _coverage(nodes: Sequence[Node], assignments: Assignments) -> tuple[float, list[MeceIssue]]:
    other = [node for node in nodes if node.kind == "other" and node.node_type == "code"]
    numbers: npt.NDArray[np.int32] = np.array([node.number for node in other], dtype=np.int32)
    if len(assignments.best) == 0:
        return 0.0, []
    uncovered = float(np.isin(assignments.best, numbers).mean())
    if uncovered <= UNCOVERED:
        return 1.0 - uncovered, []
    message = f"{uncovered:.0%} of the answers fit no code; ask for more codes, or read the answers in Other"
    nodes_of = tuple(node.key for node in other)
    issue = MeceIssue(kind="coverage", severity="warning", message=message, nodes=nodes_of, value=round(uncovered, 3))
    return 1.0 - uncovered, [issue]
