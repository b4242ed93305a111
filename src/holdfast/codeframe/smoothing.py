"""Vectors evened out over the graph of their neighbours: it takes the wording out and leaves the topic.

The graph is the one of UMAP (McInnes, Healy and Melville 2018, section 3.1): each answer measures nearness by its own
neighbourhood, so that a crowded topic does not draw in the answers of a sparse one, and two are linked if either of
them is near the other. Measured against plain means of the nearest: benchmarks/README.md.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.neighbours import BLOCK, EXACT
from holdfast.codeframe.values import Ints, Vectors

if TYPE_CHECKING:
    from scipy.sparse import csr_array

HALVINGS = 24  # of the interval in which an answer's own scale is sought
WIDEST = 4.0  # its upper end; a cosine distance is 2 at most


def smooth(vectors: Vectors, neighbours: Ints, *, rounds: int, weight: float = 0.5) -> Vectors:
    """Unit rows (n, dim), each pulled `rounds` times towards the weighted mean of those it is linked to.

    `neighbours` (n, k): the nearest of each row. Above EXACT vectors a round that another one follows is kept in half
    precision, as stored vectors are: a million then need half a copy beside the given ones and the result.
    """
    if neighbours.shape[1] == 0:
        return vectors
    shares = _shares(vectors, neighbours)
    for left in reversed(range(rounds)):
        narrow = left > 0 and len(vectors) > EXACT
        vectors = _pulled(vectors, shares, weight, np.dtype(np.float16 if narrow else np.float32))
    return vectors


def _shares(vectors: Vectors, neighbours: Ints) -> "csr_array":
    """Row i: how much each of the linked rows counts for i; a row's sum is 1."""
    from scipy.sparse import csr_array  # noqa: PLC0415 - slow to import

    n, k = neighbours.shape
    near = np.concatenate([_nearness(vectors, neighbours, start) for start in range(0, n, BLOCK)])
    one_way = csr_array((near.ravel(), neighbours.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    other_way = one_way.T.tocsr()
    linked = csr_array(one_way + other_way - one_way * other_way)  # near by one's measure or by the other's
    linked.data /= np.repeat(linked.sum(axis=1), np.diff(linked.indptr))
    return linked


def _nearness(vectors: Vectors, neighbours: Ints, start: int) -> npt.NDArray[np.float32]:
    """From 1 for the nearest down, at each row's own scale: its neighbours' nearness sums to log2(k)."""
    near = neighbours[start : start + BLOCK]
    similar = np.matmul(vectors[near], vectors[start : start + BLOCK, :, None])[:, :, 0]
    further = np.maximum(similar.max(axis=1, keepdims=True) - similar, 0)
    low, high = np.full((len(near), 1), 1e-6), np.full((len(near), 1), WIDEST)
    for _ in range(HALVINGS):
        scale = (low + high) / 2
        wide = np.exp(-further / scale).sum(axis=1, keepdims=True) > np.log2(near.shape[1])
        low, high = np.where(wide, low, scale), np.where(wide, scale, high)
    return np.asarray(np.exp(-further / high), dtype=np.float32)


def _pulled(
    vectors: npt.NDArray[np.floating], shares: "csr_array", weight: float, kept: np.dtype[np.floating]
) -> npt.NDArray[np.floating]:
    from scipy.sparse import csr_array  # noqa: PLC0415

    pulled = np.empty(vectors.shape, dtype=kept)
    for start in range(0, len(vectors), BLOCK):
        rows = shares[start : start + BLOCK]
        linked, place = np.unique(rows.indices, return_inverse=True)
        few = csr_array((rows.data, place, rows.indptr), shape=(rows.shape[0], len(linked)))
        around = few @ vectors[linked].astype(np.float32)
        block = (1 - weight) * vectors[start : start + BLOCK].astype(np.float32) + weight * around
        block /= np.maximum(np.linalg.norm(block, axis=1, keepdims=True), 1e-9)
        pulled[start : start + BLOCK] = block
    return pulled
