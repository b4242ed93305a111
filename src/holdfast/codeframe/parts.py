"""Large clusters in parts that a model can read: a choice of their answers from the middle to the edge.

A label's prompt shows some fifty typical answers; of a cluster of thousands that is one in a hundred, and all of them
from its middle.
"""

from collections.abc import Sequence
from math import ceil
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.exemplars import CUT, QUOTED, exemplar_of
from holdfast.codeframe.preprocess import Prepared
from holdfast.codeframe.values import ClusterResult, Exemplar, Vectors

Part: TypeAlias = Sequence[Exemplar]  # the most typical first

ABOVE = 500  # different answers a cluster has when it is read in parts: ten times what a label's prompt shows
FEWEST, MOST = 2, 8  # parts of a cluster
ANSWERS = 200  # of a part, on an average: models lose count of more
PART_CHARS = 16_000  # of a part's answers together, about 4,000 tokens
OFTEN = 50  # answers given by most respondents that are read wherever they lie

_LONGEST = QUOTED + len(CUT)
_ROOM = PART_CHARS - _LONGEST  # with which the last answer always fits into the emptiest part


def plan_parts(prepared: Prepared, vectors: Vectors, found: ClusterResult, *, above: int) -> dict[int, list[Part]]:
    """The parts of each cluster that has more than `above` different answers; 0: of none.

    The same for the same answers in any order of the rows, as `prepared` and `found` are.
    """
    large = [brief.k for brief in found.briefs if 0 < above < brief.n_distinct]
    return {k: _parts(prepared, _ranked(vectors, found, k)) for k in large}


def count_parts(n: int, characters: int) -> int:
    """Into how many parts so many different answers go; past the most, a part of the answers is read."""
    return min(MOST, max(FEWEST, ceil(n / ANSWERS), ceil(characters / _ROOM)))


def most_parts(n: int, characters: int, *, clusters: int, above: int) -> tuple[int, int]:
    """How many large clusters so many answers make at most, and parts in all, if their lengths are mixed evenly."""
    large = min(clusters, n // (above + 1)) if above else 0
    each = max(1 / ANSWERS, characters / max(n, 1) / _ROOM)
    # Each begins a part, and one that is smaller than a part makes two all the same, as all but one of them may be.
    begun = large + max(0, large - 1) * max(0.0, 1 - (above + 1) * each)
    return large, min(MOST * large, max(FEWEST * large, ceil(n * each + begun)))


def _ranked(vectors: Vectors, found: ClusterResult, k: int) -> npt.NDArray[np.intp]:
    """The cluster's distinct texts, the most typical first."""
    rows = np.flatnonzero(found.labels == k)
    return rows[np.argsort(-(vectors[rows] @ found.centroids[k]), kind="stable")]


def _parts(prepared: Prepared, ranked: npt.NDArray[np.intp]) -> list[Part]:
    """Each part is the cluster in small: answers from all of it, dealt out to where there is most room."""
    lengths = np.array([min(len(prepared.distinct[row]), _LONGEST) for row in ranked])
    n = count_parts(len(ranked), int(lengths.sum()))
    weights = prepared.weights[ranked]
    often = [place for place in np.argsort(-weights, kind="stable")[:OFTEN] if weights[place] > 1]
    order = np.array(list(dict.fromkeys([*often, *spread(len(ranked))])))
    fitting = int(np.searchsorted(np.cumsum(lengths[order]), n * _ROOM, side="right"))
    parts: list[list[Exemplar]] = [[] for _ in range(n)]
    held = [0] * n
    for place in np.sort(order[: min(fitting, n * ANSWERS)]):
        emptiest = held.index(min(held))
        parts[emptiest].append(exemplar_of(prepared, int(ranked[place])))
        held[emptiest] += int(lengths[place])
    return list(parts)


def spread(n: int) -> npt.NDArray[np.intp]:
    """0 to n - 1 in an order of which every beginning is spread evenly over them (van der Corput's)."""
    places = np.arange(n)
    bits = max(1, (n - 1).bit_length())
    mirrored = np.zeros_like(places)
    for bit in range(bits):
        mirrored |= ((places >> bit) & 1) << (bits - 1 - bit)
    return np.argsort(mirrored)
