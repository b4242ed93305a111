"""Whether the clusters come out again: the same number of them from two random parts of the answers."""

import numpy as np

from holdfast.codeframe.clustering import cluster
from holdfast.codeframe.preprocess import Prepared
from holdfast.codeframe.values import Vectors
from holdfast.codeframe.wording import worded

MOST = 2000  # distinct texts that are looked at: half a second of clustering
PART = 0.8  # of them in each of the two
LEAST = 20  # texts below which the figure would say nothing


def stability(prepared: Prepared, vectors: Vectors, *, k: int, seed: int) -> float | None:
    """Adjusted Rand index, 0 chance to 1 the same, of two clusterings on the texts that both have seen.

    A seed alone changes nothing here: up to some thousand texts all are looked at, whatever it is. So it draws which
    texts each clustering sees. None for fewer than two clusters, or for too few texts to tell.
    """
    if k < 2 or len(vectors) < max(LEAST, 2 * k):
        return None
    from holdfast.codeframe.metrics import adjusted_rand  # noqa: PLC0415 - scikit-learn is slow to import

    random = np.random.default_rng(seed)
    pool = np.sort(random.permutation(len(vectors))[:MOST])
    vectors, weights = vectors[pool], prepared.weights[pool]
    by = worded(vectors, [prepared.distinct[place] for place in pool])
    seen = [np.sort(random.permutation(len(pool))[: int(PART * len(pool))]) for _ in range(2)]
    both = np.intersect1d(seen[0], seen[1])
    first, second = (
        cluster(vectors[part], weights[part], by=by[part], n_clusters=k, seed=seed).labels[np.searchsorted(part, both)]
        for part in seen
    )
    return round(adjusted_rand(first, second), 3)
