"""Which answers a person should confirm next, so that the codes learned from them are right most often.

The answers are divided into as many cells as there will be examples (k-means whose weights are the doubt about each
answer's code; Zhdanov, "Diverse mini-batch active learning", 2019), and each cell without an example suggests its most
central answer. As long as there are few examples a code, what is typical counts beside what is doubtful: the best
questions of a first round and of a late one differ (Hacohen, Dekel and Weinshall, ICML 2022).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.neighbours import nearest
from holdfast.codeframe.smoothing import smooth
from holdfast.codeframe.values import Floats, Ints, Vectors

NEIGHBOURS, ROUNDS = 10, 2
MOST_CELLS = 1000  # answers and examples together
MOST_COMPARED = 10_000  # different answers that cells are made of: more cost time and change little
LEAST_WEIGHT = 1e-6


def suggest(
    vectors: Vectors,
    probabilities: Vectors,
    *,
    n: int,
    confirmed: Sequence[int] = (),
    weights: npt.NDArray[np.integer] | None = None,
) -> Ints:
    """The rows of at most `n` answers, the most useful first, none of them confirmed.

    `vectors` are unit rows, `probabilities` each one's of each code as `learn` gives them, `weights` the rows of the
    survey that say each. Every code that is among them comes once before any comes twice. The same for the rows in
    any order.
    """
    order = _by_value(vectors)
    counted = np.ones(len(vectors)) if weights is None else np.asarray(weights, dtype=np.float64)
    is_confirmed = np.zeros(len(vectors), dtype=bool)
    is_confirmed[list(confirmed)] = True
    order = order[is_confirmed[order] | (counted[order] > 0)]
    order = _thinned(order, is_confirmed[order])
    per_code = (is_confirmed.sum() + n / 2) / max(probabilities.shape[1], 1)
    typical = 1 / (1 + per_code) ** 2
    wanted = (typical + (1 - typical) * doubt(probabilities[order])) * counted[order]
    found = _central(vectors[order], wanted, is_confirmed[order], n=n)
    best = probabilities[order].argmax(axis=1)
    return order[_spread(found, best)].astype(np.int32)


def doubt(probabilities: Vectors) -> Floats:
    """0 for an answer that surely has its code, 1 for one whose two best codes are equally probable."""
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities))
    two = np.partition(probabilities.astype(np.float64), -2, axis=1)[:, -2:]
    return np.asarray(1 - (two[:, 1] - two[:, 0]))


def _by_value(vectors: Vectors) -> npt.NDArray[np.intp]:
    """An order that only the vectors decide."""
    return np.lexsort(vectors[:, : min(12, vectors.shape[1])].T)


def _thinned(order: npt.NDArray[np.intp], kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Some of the rows, evenly, and all that are kept."""
    if len(order) <= MOST_COMPARED:
        return order
    even = np.zeros(len(order), dtype=bool)
    even[np.linspace(0, len(order) - 1, MOST_COMPARED).astype(np.intp)] = True
    return order[even | kept]


def _central(vectors: Vectors, wanted: Floats, confirmed: npt.NDArray[np.bool_], *, n: int) -> npt.NDArray[np.intp]:
    """The most central answer of each cell, the weightiest cell first; cells that have a confirmed one come last."""
    free = np.flatnonzero(~confirmed)
    n = min(n, len(free))
    if n == 0:
        return free[:0]
    from sklearn.cluster import KMeans  # noqa: PLC0415 - slow to import

    smoothed = vectors + smooth(vectors, nearest(vectors, NEIGHBOURS), rounds=ROUNDS)
    smoothed /= np.maximum(np.linalg.norm(smoothed, axis=1, keepdims=True), 1e-9)
    n_cells = min(n + int(confirmed.sum()), max(MOST_CELLS, n), len(vectors))
    means = KMeans(n_cells, n_init=1, random_state=0).fit(smoothed, sample_weight=wanted + LEAST_WEIGHT)
    far = np.linalg.norm(smoothed - means.cluster_centers_[means.labels_], axis=1)
    mass = np.bincount(means.labels_, weights=wanted, minlength=n_cells)
    known = np.zeros(n_cells, dtype=bool)
    known[means.labels_[confirmed]] = True
    # Cell by cell, in each the most central first: its first answer is its own, the others are spares.
    ranked = free[np.lexsort((far[free], -mass[means.labels_[free]], known[means.labels_[free]]))]
    _, first = np.unique(means.labels_[ranked], return_index=True)
    own = np.sort(first)
    spare = np.setdiff1d(np.arange(len(ranked)), own)
    chosen: npt.NDArray[np.intp] = ranked[np.concatenate([own, spare])[:n]]
    return chosen


def _spread(found: npt.NDArray[np.intp], best: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Reordered so that each code's first one comes before any code's second."""
    met: dict[int, int] = {}
    turns = []
    for row in found:
        code = int(best[row])
        turns.append(met.get(code, 0))
        met[code] = turns[-1] + 1
    return found[np.argsort(turns, kind="stable")]
