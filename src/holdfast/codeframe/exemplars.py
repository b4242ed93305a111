"""The answers that show what a cluster is about: typical ones first, each different from those before."""

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.preprocess import Prepared
from holdfast.codeframe.values import Exemplar, Ints, Vectors

POOL = 60  # candidates, the most typical
DIVERSITY = 0.45  # how much likeness to the chosen counts against likeness to the centre
QUOTED = 400  # characters of an exemplar
CUT = " …"  # what stands behind one that was longer


def typicality(similar: npt.NDArray[np.float32], lengths: Ints, weights: Ints) -> npt.NDArray[np.float64]:
    """Nearness to the centre, less for answers too short to say anything or too long to quote."""
    words = np.maximum(lengths, 1)
    length = 0.12 * (words < 3) + 0.10 * np.clip((words - 25) / 50, 0, 1)
    return similar - length + 0.02 * np.log(np.maximum(weights, 1))


def choose(vectors: Vectors, scores: npt.NDArray[np.float64], n: int) -> list[int]:
    """Rows of the n most typical that are also diverse (maximal marginal relevance); ties go to the lower row."""
    pool = np.argsort(-scores, kind="stable")[:POOL]
    near = vectors[pool] @ vectors[pool].T
    chosen: list[int] = []
    worst = np.zeros(len(pool))
    for _ in range(min(n, len(pool))):
        value = (1 - DIVERSITY) * scores[pool] - DIVERSITY * worst if chosen else scores[pool].copy()
        value[chosen] = -np.inf
        best = int(np.argmax(value))
        chosen.append(best)
        worst = np.maximum(worst, near[best])
    return [int(pool[place]) for place in chosen]


def exemplar_of(prepared: Prepared, row: int) -> Exemplar:
    """The distinct text as it is shown: cut at a word to about QUOTED characters."""
    text = prepared.distinct[row]
    short = text if len(text) <= QUOTED else text[:QUOTED].rsplit(" ", 1)[0] + CUT
    return Exemplar(distinct=row, text=short, weight=int(prepared.weights[row]))
