"""Clusters of unit vectors: smoothed by neighbours, started from a Ward tree, refined by weighted k-means.

The result depends only on the set of vectors, their weights and the seed: callers pass the vectors in an order of their
own (Prepared.distinct is sorted), so shuffled rows give the same clusters.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.neighbours import closest, nearest
from holdfast.codeframe.smoothing import smooth
from holdfast.codeframe.trees import branches, ward_tree
from holdfast.codeframe.usual import MOST_AUTOMATIC, USUAL
from holdfast.codeframe.values import Floats, Ints, Vectors

NEIGHBOURS, ROUNDS = 15, 5  # of smoothing: fewer leave the wording in, more wash topics into each other
SAMPLE = 4000  # vectors the Ward tree is grown on; it costs their square
ROUNDS_OF_KMEANS = 40
FITTED = 40_000  # vectors k-means is fitted on; the others only join
FLATNESS = 0.004  # margins that differ by less are alike: the middle of them is taken, which samples do not sway
# Margin that a number of clusters has to make up for: fewer than usual, more, and so many that they are hardly a
# codeframe, where answers that repeat each other's phrases would go on gaining.
FEWER, MORE, FAR_MORE = 0.06, 0.02, 0.1
NEAREST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Automatic:
    """As many clusters as the vectors show."""

    usual: float = USUAL  # where they show no number, it is near this (usual.py)
    least: tuple[int, int] = (5, 3)  # answers, and different ones, of each cluster


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """Clusters numbered from the largest to the smallest."""

    labels: Ints  # vector -> cluster
    nearest: Ints  # vector -> its nearest clusters, best first, -1 where there are fewer
    affinity: Vectors  # cosine to these, after smoothing
    centroids: Vectors  # unit rows, of the plain vectors
    tree: Floats  # Ward linkage over the centroids
    notes: tuple[str, ...]

    @property
    def n_clusters(self) -> int:
        return len(self.centroids)


def cluster(
    vectors: Vectors,
    weights: Ints,
    *,
    by: Vectors | None = None,
    n_clusters: int | Automatic,
    seed: int = 0,
) -> Clustering:
    """As many clusters as asked for, or as many as the vectors show.

    They are grouped by other vectors of the same answers when `by` has them (wording.py); the centroids are of these.
    """
    total = int(weights.sum())
    automatic = n_clusters if isinstance(n_clusters, Automatic) else None
    if len(vectors) == 0 or (automatic and total < automatic.least[0]):
        note = "there was nothing to cluster" if total == 0 else f"{total} answers are too few for a cluster"
        return _none(len(vectors), vectors.shape[1], note)
    by = vectors if by is None else by
    smoothed = smooth(by, nearest(by, NEIGHBOURS), rounds=ROUNDS)
    sample = _sample(len(vectors), seed)
    tree = _grow(smoothed[sample])
    k = (
        estimate(vectors[sample], smoothed[sample], tree, usual=n_clusters.usual)
        if isinstance(n_clusters, Automatic)
        else n_clusters
    )
    labels, centres = _fit(smoothed, weights, _start(smoothed[sample], tree, k))
    if automatic:
        labels, centres = _drop_small(smoothed, weights, labels, centres, least=automatic.least)
    return _result(vectors, smoothed, weights, centres, asked=None if automatic else k)


def _grow(vectors: Vectors) -> Floats:
    """Ward's tree of unit vectors; their distances from one matrix product, a tenth of the time."""
    n = len(vectors)
    if n < 2:
        return np.zeros((0, 4))
    similar = vectors @ vectors.T
    apart = np.concatenate([similar[row, row + 1 :] for row in range(n - 1)])
    return ward_tree(np.sqrt(np.maximum(2.0 - 2.0 * apart.astype(np.float64), 0.0)))


def _none(n: int, width: int, note: str) -> Clustering:
    return Clustering(
        labels=np.full(n, -1, dtype=np.int32),
        nearest=np.full((n, NEAREST), -1, dtype=np.int32),
        affinity=np.zeros((n, NEAREST), dtype=np.float32),
        centroids=np.zeros((0, width), dtype=np.float32),
        tree=np.zeros((0, 4)),
        notes=(note,),
    )


def _sample(n: int, seed: int) -> npt.NDArray[np.intp]:
    """All, or a random part of them, in their order."""
    if n <= SAMPLE:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, SAMPLE, replace=False))


def estimate(plain: Vectors, smoothed: Vectors, tree: Floats, *, usual: float) -> int:
    """The number of clusters where answers are clearly nearer to their own cluster than to the next one.

    That margin (a silhouette over centroids, each answer left out of its own) peaks at the true number when there is
    one and is flat for real survey answers, where a usual codeframe's size decides: more codes than that need a clear
    gain for each doubling, as a reader pays for them.
    """
    if len(plain) < 8:
        return 1
    least, most = max(2, min(4, int(np.ceil(usual * 0.7)))), int(min(usual * 6, len(plain) / 4, MOST_AUTOMATIC))
    steps = max(2, int(np.log(max(most, least + 1) / least) / np.log(1.1)))
    tried = np.unique(np.geomspace(least, max(most, least), steps).round().astype(int))
    margins = np.array([_margin(plain, smoothed, branches(tree, k)) for k in tried])
    if len(margins) >= 5:
        margins = np.convolve(np.pad(margins, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    away = np.log(tried / usual)
    value = margins - np.where(away < 0, FEWER * away**2, MORE * away) - FAR_MORE * np.maximum(away - 1, 0) ** 2
    belief = np.exp((value - value.max()) / FLATNESS)
    return round(float(np.exp(belief @ np.log(tried) / belief.sum())))


def _margin(plain: Vectors, smoothed: Vectors, labels: npt.NDArray[np.int32]) -> float:
    labels = closest(smoothed, _means(smoothed, np.ones(len(smoothed)), labels, int(labels.max()) + 1))
    sums = _sums(plain, np.ones(len(plain)), labels, int(labels.max()) + 1)
    lengths = np.maximum(np.linalg.norm(sums, axis=1), 1e-9)
    similar = plain @ (sums / lengths[:, None]).T
    rows = np.arange(len(plain))
    length, own = lengths[labels], similar[rows, labels].copy()
    without = np.sqrt(np.maximum(length**2 - 2 * own * length + 1, 1e-9))
    own = np.where(np.bincount(labels)[labels] > 1, (own * length - 1) / without, 0.0)
    similar[rows, labels] = -1.0
    other = similar.max(axis=1)
    return float(np.mean((own - other) / np.maximum(1 - np.minimum(own, other), 1e-6)))


def _sums(vectors: Vectors, weights: npt.NDArray[np.float64], labels: npt.NDArray[np.int32], k: int) -> Vectors:
    """Weighted sum of each label's vectors."""
    from scipy.sparse import csr_array  # noqa: PLC0415 - slow to import

    n = len(vectors)
    shares = csr_array((weights.astype(np.float32), (labels, np.arange(n))), shape=(k, n))
    return np.asarray(shares @ vectors, dtype=np.float32)


def _means(vectors: Vectors, weights: npt.NDArray[np.float64], labels: npt.NDArray[np.int32], k: int) -> Vectors:
    """Unit mean of each label's vectors; zero where it has none."""
    total = _sums(vectors, weights, labels, k)
    norms = np.linalg.norm(total, axis=1, keepdims=True)
    return np.asarray(total / np.maximum(norms, 1e-9), dtype=np.float32)


def _start(sample: Vectors, tree: Floats, k: int) -> Vectors:
    """Centres of k branches of the Ward tree; fewer when the sample has fewer different vectors."""
    if len(sample) == 1:
        return sample.copy()
    labels = np.unique(branches(tree, k), return_inverse=True)[1].astype(np.int32)
    return _means(sample, np.ones(len(sample)), labels, int(labels.max()) + 1)


def _fit(vectors: Vectors, weights: Ints, centres: Vectors) -> tuple[Ints, Vectors]:
    """Weighted spherical k-means from the given centres."""
    step = -(-len(vectors) // FITTED)
    part, mass = vectors[::step], weights[::step].astype(np.float64)
    labels = closest(part, centres)
    for _ in range(ROUNDS_OF_KMEANS):
        means = _means(part, mass, labels, len(centres))
        filled = np.bincount(labels, minlength=len(centres)) > 0
        centres = np.where(filled[:, None], means, centres)
        moved = closest(part, centres)
        if np.array_equal(moved, labels):
            break
        labels = moved
    return closest(vectors, centres), centres


def _drop_small(
    vectors: Vectors, weights: Ints, labels: Ints, centres: Vectors, *, least: tuple[int, int]
) -> tuple[Ints, Vectors]:
    """Dissolve clusters below (answers, different answers), the smallest first, as long as one is left."""
    while len(centres) > 1:
        answers = np.bincount(labels, weights=weights, minlength=len(centres))
        different = np.bincount(labels, minlength=len(centres))
        small = (answers < least[0]) | (different < np.minimum(least[1], answers))
        if not small.any():
            break
        worst = int(np.argmin(np.where(small, answers, np.inf)))
        centres = np.delete(centres, worst, axis=0)
        labels = closest(vectors, centres)
    return labels, centres


def _result(vectors: Vectors, smoothed: Vectors, weights: Ints, centres: Vectors, *, asked: int | None) -> Clustering:
    labels = closest(smoothed, centres)
    answers = np.bincount(labels, weights=weights, minlength=len(centres))
    first = np.full(len(centres), len(labels))
    np.minimum.at(first, labels, np.arange(len(labels)))
    order = [int(k) for k in np.lexsort((first, -answers)) if answers[k] > 0]
    centres = centres[order]
    near, affinity = _nearest_clusters(smoothed, centres)
    labels = near[:, 0].copy()
    plain = _means(vectors, weights.astype(np.float64), labels, len(centres))
    notes: tuple[str, ...] = ()
    if asked is not None and len(centres) < asked:
        notes = (f"{asked} clusters were asked for, but {len(vectors)} different answers gave {len(centres)}",)
    tree = ward_tree(plain.astype(np.float64)) if len(centres) > 1 else np.zeros((0, 4))
    return Clustering(labels=labels, nearest=near, affinity=affinity, centroids=plain, tree=tree, notes=notes)


def _nearest_clusters(vectors: Vectors, centres: Vectors) -> tuple[Ints, Vectors]:
    shown = min(NEAREST, len(centres))
    near = np.full((len(vectors), NEAREST), -1, dtype=np.int32)
    affinity = np.zeros((len(vectors), NEAREST), dtype=np.float32)
    for start in range(0, len(vectors), 8192):
        rows = slice(start, start + 8192)
        similar = vectors[rows] @ centres.T
        best = np.argsort(-similar, axis=1, kind="stable")[:, :shown]
        near[rows, :shown] = best
        affinity[rows, :shown] = np.take_along_axis(similar, best, axis=1)
    return near, affinity.astype(np.float16).astype(np.float32)  # as it is stored: the same before and after
