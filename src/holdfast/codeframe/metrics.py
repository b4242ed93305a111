"""Figures that compare a coding with a person's, and the names of codes with the answers that have them."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

from holdfast.codeframe.evidence import roots_of
from holdfast.codeframe.labelling import says

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


def name_lift(names: Mapping[int, str], codes: npt.ArrayLike, texts: Sequence[str]) -> tuple[float, float]:
    """How many of a code's answers say its name (a word of it, or its topic), and how many of all others do.

    `codes`: each answer's code; answers whose code has no name count as others. Two means over the named answers, 0..1.
    """
    of, roots = np.asarray(codes), [roots_of(text) for text in texts]
    inside = outside = 0.0
    for code, name in names.items():
        words, own = roots_of(name), of == code
        said = np.array([bool(words & root) or says(name, text) for root, text in zip(roots, texts, strict=True)])
        inside += float(said[own].sum())
        outside += float(own.sum() * said[~own].mean()) if (~own).any() else 0.0
    n = max(int(np.isin(of, list(names)).sum()), 1)
    return inside / n, outside / n
