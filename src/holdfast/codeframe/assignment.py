"""Every answer's codes and how sure they are: the clusters propose, nearness to the code's prototype decides."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.preprocess import Prepared
from holdfast.codeframe.values import Assignments, ClusterResult, Ints, Vectors

BLOCK = 8192
LEAST_SHARE = 0.80  # a further code is at least this near, compared with the best one
CLOSE_CALL = 0.03  # and the neighbours pull at most this much less towards it
SAMPLE = 2000
# Tukey's rule for outliers: so many quartiles' distances below the lower one, and at least this much. His 1.5 finds
# more of what no code is about, but takes one in a hundred answers from its code, where topics are clear too.
FENCE, WITHIN = 2.0, 0.1
LOWEST = 0.02  # closeness that an answer with a code is taken to have at least
LEAST = 0.1  # cosine to its code below which an answer has nothing to do with it, whatever the others do


@dataclass(frozen=True, kw_only=True)
class Coding:
    """The codes of the distinct texts: up to three each, best first, -1 where there is none."""

    codes: Ints  # (distinct, 3)
    scores: Vectors  # (distinct, 3)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where nearness to a code begins to mean something, where it is enough for the code, and as good as it gets."""

    floor: float
    enough: float
    top: float


def code_texts(vectors: Vectors, prototypes: Vectors, clustering: ClusterResult, code_of: Ints) -> Coding:
    """`code_of` maps a cluster to its code, -1 for a cluster that failed to get one; its texts then have no code."""
    n = len(vectors)
    codes = np.full((n, 3), -1, dtype=np.int32)
    scores = np.zeros((n, 3), dtype=np.float32)
    if n == 0 or len(prototypes) == 0:
        return Coding(codes=codes, scores=scores)
    scale = _scale(vectors, prototypes, clustering, code_of)
    for start in range(0, n, BLOCK):
        rows = slice(start, start + BLOCK)
        codes[rows], scores[rows] = _code_block(vectors[rows], prototypes, clustering, code_of, rows=rows, scale=scale)
    return Coding(codes=codes, scores=scores)


def _scale(vectors: Vectors, prototypes: Vectors, clustering: ClusterResult, code_of: Ints) -> _Scale:
    """From the nearness of answers to codes that are not theirs, and to those that are."""
    rows = np.linspace(0, len(vectors) - 1, min(SAMPLE, len(vectors))).astype(np.intp)
    similar = vectors[rows] @ prototypes.T
    own = code_of[clustering.labels[rows]]
    mine = similar[np.arange(len(rows)), own][own >= 0]
    foreign = similar.copy()
    for place in range(clustering.nearest.shape[1]):
        near = clustering.nearest[rows, place]
        foreign[np.arange(len(rows)), np.where(near >= 0, code_of[near], own)] = np.nan
    strange = foreign[~np.isnan(foreign)]
    if not len(mine):
        return _Scale(floor=0.15, enough=LEAST, top=1.0)
    low, high, top = np.quantile(mine, [0.25, 0.75, 0.9]).tolist()
    # Compared with the survey's own answers, not with foreign codes: those are near where all is about one topic, and
    # far where topics are many, so that nearly nothing would be an outlier there.
    enough = max(low - max(FENCE * (high - low), WITHIN), LEAST)
    usual = float(strange.mean() + 0.6 * strange.std()) if len(strange) >= 20 else 0.15
    return _Scale(floor=min(usual, top - 0.05, low), enough=enough, top=top)


def _code_block(
    vectors: Vectors, prototypes: Vectors, clustering: ClusterResult, code_of: Ints, *, rows: slice, scale: _Scale
) -> tuple[Ints, Vectors]:
    near = clustering.nearest[rows]
    code = np.where(near >= 0, code_of[near], -1)
    pull = np.where(code >= 0, clustering.affinity[rows], -1.0)
    direct = np.take_along_axis(vectors @ prototypes.T, np.maximum(code, 0), axis=1)
    closeness = np.clip((direct - scale.floor) / max(scale.top - scale.floor, 1e-6), 0.0, 1.0)
    sure = _certainty(pull)
    score = np.where(code >= 0, np.sqrt(np.maximum(closeness, LOWEST)) * (0.35 + 0.65 * sure), 0.0)
    kept = (code >= 0) & (direct >= scale.enough)
    kept[:, 1:] &= closeness[:, 1:] > 0
    kept[:, 1:] &= (closeness[:, 1:] >= LEAST_SHARE * closeness[:, :1]) & (pull[:, 1:] >= pull[:, :1] - CLOSE_CALL)
    kept[:, 1:] &= kept[:, :1]  # an answer that is not near its own cluster has no other code either
    kept[:, 1] &= code[:, 1] != code[:, 0]
    kept[:, 2] &= (code[:, 2] != code[:, 0]) & (code[:, 2] != code[:, 1])
    score[:, 1:] = np.minimum(score[:, 1:], score[:, :1])
    order = np.argsort(~kept, axis=1, kind="stable")
    codes = np.take_along_axis(np.where(kept, code, -1), order, axis=1)
    scores = np.take_along_axis(np.where(kept, score, 0.0), order, axis=1)
    return codes.astype(np.int32), scores.astype(np.float32)


def _certainty(pull: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Each proposal's share when they compete; one alone has 1."""
    weight = np.where(pull > -1.0, np.exp((pull - pull.max(axis=1, keepdims=True)) / 0.06), 0.0)
    return np.asarray(weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9))


def assign_rows(
    prepared: Prepared, coding: Coding, *, numbers: Sequence[int], other: int, rule_numbers: dict[str, int]
) -> Assignments:
    """From distinct texts to rows: `numbers` are the codes' numbers; what has no code is Other, with score 0."""
    named = np.append(np.asarray(numbers, dtype=np.int32), np.int32(other))
    text_codes, text_scores = named[coding.codes], coding.scores.copy()
    text_count = np.maximum((coding.codes >= 0).sum(axis=1), 1)
    n = prepared.n_rows
    wide = np.full((n, 3), other, dtype=np.int32)
    scores = np.zeros((n, 3), dtype=np.float32)
    count = np.ones(n, dtype=np.int64)
    read = prepared.index >= 0
    wide[read], scores[read] = text_codes[prepared.index[read]], text_scores[prepared.index[read]]
    count[read] = text_count[prepared.index[read]]
    for key, number in rule_numbers.items():
        ruled = np.fromiter((rule == key for rule in prepared.rules), dtype=bool, count=n)
        wide[ruled, 0], scores[ruled, 0] = number, 1.0
    shown = np.arange(3) < count[:, None]
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    return Assignments(
        best=wide[:, 0].copy(), score=scores[:, 0].copy(), offsets=offsets, numbers=wide[shown], scores=scores[shown]
    )
