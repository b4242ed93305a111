"""Figures that compare a coding with a person's."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

Labels = npt.NDArray[np.intp]


def adjusted_rand(truth: npt.ArrayLike, found: npt.ArrayLike) -> float:
    """Agreement of two partitions, 0 for chance and 1 for the same."""
    return float(adjusted_rand_score(np.asarray(truth), np.asarray(found)))


def table(truth: npt.ArrayLike, found: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Counts of each true label (rows) in each found one (columns)."""
    rows, columns = (np.unique(np.asarray(labels), return_inverse=True)[1] for labels in (truth, found))
    counts = np.zeros((int(rows.max(initial=-1)) + 1, int(columns.max(initial=-1)) + 1), dtype=np.int64)
    np.add.at(counts, (rows, columns), 1)
    return counts


def matched_accuracy(truth: npt.ArrayLike, found: npt.ArrayLike) -> float:
    """Share of rows that agree when each found label stands for at most one true one (Hungarian matching)."""
    counts = table(truth, found)
    if counts.size == 0:
        return 0.0
    rows, columns = linear_sum_assignment(-counts)
    return float(counts[rows, columns].sum() / counts.sum())


def harmonic_purity(truth: npt.ArrayLike, found: npt.ArrayLike) -> float:
    """Harmonic mean of purity and inverse purity: neither one big code nor many tiny ones win."""
    counts = table(truth, found)
    if counts.size == 0:
        return 0.0
    purity, inverse = counts.max(axis=0).sum() / counts.sum(), counts.max(axis=1).sum() / counts.sum()
    return float(2 * purity * inverse / (purity + inverse))


def matched_macro_f1(truth: npt.ArrayLike, found: npt.ArrayLike) -> float:
    """Mean F1 over the true labels after Hungarian matching; an unmatched label has 0."""
    counts = table(truth, found)
    if counts.size == 0:
        return 0.0
    rows, columns = linear_sum_assignment(-counts)
    sums = counts.sum(axis=1)[rows] + counts.sum(axis=0)[columns]
    return float((2 * counts[rows, columns] / sums).sum() / counts.shape[0])
