"""Learning a codeframe from confirmed examples: names alone, prototypes for a few, a calibrated probe for many.

The answers themselves help: their vectors are pulled towards their neighbours', and how frequent each code is among
them is estimated. What is near no code ends in Other; further codes are given where the examples show they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.neighbours import nearest
from holdfast.codeframe.probe import Probe, shifted, softmax, temperature, train
from holdfast.codeframe.smoothing import smooth
from holdfast.codeframe.values import Floats, Ints, Vectors

SHARPNESS = 10.0  # logits of a name's nearness: what the probe starts from
UNTAUGHT = 20.0  # the same, without any example
NEIGHBOURS, ROUNDS = 10, 2
FOLDS = 3
LEAST_HELD_OUT = 20  # examples before thresholds are taken from them
MOST_HELD_OUT = 1500  # examples that thresholds are taken from: more cost time and change little
FARTHEST = 0.05  # share of held-out examples that may lie below the first threshold
USUAL_FLOOR = 0.15  # nearness below which it is Other, before there are examples
USUAL_FURTHER = 0.8  # a further code's probability, compared with the best's, before there are examples
NEVER = 1.01
MOST_MORE = 1.1  # codes given to held-out examples, compared with what people gave
TRIED_FURTHER = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, NEVER)
MOST_CODES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An answer whose codes a person confirmed; no code says that it belongs in Other."""

    row: int  # among the vectors
    codes: tuple[int, ...]  # places in the frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where codes begin, and how probable the figures are."""

    floor: float  # nearness to the code below which an answer is Other
    further: float  # a second code's probability is at least this share of the best one's
    temperature: float  # what logits are divided by to make probabilities


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What was made of the frame, the examples and all answers; row by row as the vectors were given."""

    best: Ints  # the most probable code, whether or not it is near enough
    probabilities: Vectors  # (rows, codes), calibrated; confirmed answers have what the probe says of them too
    nearness: Vectors  # cosine to the best code: to its prototype or to an example of it
    codes: tuple[tuple[int, ...], ...]  # up to three, the best first; none: Other; confirmed ones as confirmed
    thresholds: Thresholds


def learn(
    vectors: Vectors,
    names: Vectors,
    examples: Sequence[Example],
    *,
    weights: npt.NDArray[np.integer] | None = None,
    thresholds: Thresholds | None = None,
) -> Learned:
    """Code all answers: `vectors` are theirs, `names` those of the codes' names and descriptions, all unit rows.

    `weights` counts the rows that each vector stands for; without `thresholds` they are found on held-out
    examples. The result does not depend on the order of rows or examples.
    """
    n = len(vectors)
    order = np.lexsort(vectors[:, : min(12, vectors.shape[1])].T)
    back = np.empty(n, dtype=np.intp)
    back[order] = np.arange(n)
    counted = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    taught = sorted((int(back[e.row]), tuple(sorted(set(e.codes)))) for e in examples)
    found = _learn_in_order(_Task(vectors[order], names, taught), counted[order], thresholds)
    given: dict[int, tuple[int, ...]] = {e.row: e.codes for e in examples}
    codes = found.codes
    return Learned(
        best=found.best[back],
        probabilities=found.probabilities[back],
        nearness=found.nearness[back],
        codes=tuple(given.get(row, codes[back[row]]) for row in range(n)),
        thresholds=found.thresholds,
    )


class _Task:
    """The answers as the probe sees them, and the examples as rows and targets."""

    def __init__(self, vectors: Vectors, names: Vectors, taught: Sequence[tuple[int, tuple[int, ...]]]) -> None:
        mixed = vectors + smooth(vectors, nearest(vectors, NEIGHBOURS), rounds=ROUNDS)
        self.vectors: Vectors = _unit(mixed)
        self.names = names
        inside = [(row, codes) for row, codes in taught if codes]
        self.rows = np.array([row for row, _ in inside], dtype=np.intp)
        self.others = np.array([row for row, codes in taught if not codes], dtype=np.intp)
        self.given = [codes for _, codes in inside]
        self.targets: Vectors = np.zeros((len(inside), len(names)), dtype=np.float32)
        for place, codes in enumerate(self.given):
            self.targets[place, list(codes)] = 1 / len(codes)

    def probe(self, places: npt.NDArray[np.intp]) -> Probe:
        """Taught with these examples."""
        sharp = SHARPNESS if len(places) else UNTAUGHT
        return train(self.vectors[self.rows[places]], self.targets[places], sharp * self.names)

    def nearness(self, vectors: Vectors, codes: Ints, places: npt.NDArray[np.intp]) -> Vectors:
        """Cosine of each row to its code: to the mean of name and examples, or to an example that is nearer.

        The nearest example counts because a code may hold things that are said in quite different words.
        """
        prototypes = _unit(self.names + self.targets[places].T @ self.vectors[self.rows[places]])
        near = np.einsum("ij,ij->i", vectors, prototypes[codes])
        for code in np.unique(codes):
            shown, asked = self.rows[places[self.targets[places, code] > 0]], np.flatnonzero(codes == code)
            if len(shown):
                near[asked] = np.maximum(near[asked], (vectors[asked] @ self.vectors[shown].T).max(axis=1))
        return np.asarray(near, dtype=np.float32)


def _learn_in_order(task: _Task, weights: Floats, given: Thresholds | None) -> Learned:
    every = np.arange(len(task.rows))
    scores = task.probe(every).scores(task.vectors)
    if len(every):
        seen = task.targets.sum(axis=0, dtype=np.float64) + 1.0
        scores = scores + shifted(scores, seen / seen.sum(), weights)
    best = scores.argmax(axis=1).astype(np.int32)
    near = task.nearness(task.vectors, best, every)
    thresholds = given or _thresholds(task, _held_out(task), near[task.others])
    probabilities = softmax(scores / thresholds.temperature).astype(np.float32)
    return Learned(
        best=best,
        probabilities=probabilities,
        nearness=near,
        codes=_chosen(probabilities, near, thresholds),
        thresholds=thresholds,
    )


@dataclass(frozen=True, kw_only=True)
class _HeldOut:
    """Examples as a probe taught with the other examples sees them."""

    places: npt.NDArray[np.intp]
    scores: Floats
    nearness: Floats


def _held_out(task: _Task) -> _HeldOut | None:
    """None while there are too few examples, or fewer than two of nearly every code."""
    n = len(task.rows)
    if n < LEAST_HELD_OUT or n < 2 * np.count_nonzero(task.targets.sum(axis=0)):
        return None
    fold = _folds(task)
    asked = np.unique(np.linspace(0, n - 1, min(n, MOST_HELD_OUT)).astype(np.intp))
    scores, near = np.zeros((n, len(task.names))), np.zeros(n)
    for part in range(FOLDS):
        out, kept = asked[fold[asked] == part], np.flatnonzero(fold != part)
        seen = task.vectors[task.rows[out]]
        scores[out] = task.probe(kept).scores(seen)
        near[out] = task.nearness(seen, scores[out].argmax(axis=1).astype(np.int32), kept)
    return _HeldOut(places=asked, scores=scores[asked], nearness=near[asked])


def _folds(task: _Task) -> npt.NDArray[np.intp]:
    """Each code's examples dealt out evenly."""
    dealt: dict[int, int] = {}
    folds = []
    for codes in task.given:
        folds.append(dealt.get(codes[0], codes[0]) % FOLDS)
        dealt[codes[0]] = dealt.get(codes[0], codes[0]) + 1
    return np.array(folds, dtype=np.intp)


def _thresholds(task: _Task, held: _HeldOut | None, others: Vectors) -> Thresholds:
    if held is None:
        return Thresholds(floor=USUAL_FLOOR, further=USUAL_FURTHER, temperature=1.0)
    heat = temperature(held.scores, task.targets[held.places])
    return Thresholds(
        floor=_floor(held.nearness, others),
        further=_further(softmax(held.scores / heat), [task.given[place] for place in held.places]),
        temperature=heat,
    )


def _floor(inside: Floats, others: Vectors) -> float:
    """Below it are few of the held-out examples; with enough confirmed Others, where the two are told apart best."""
    usual = float(np.quantile(inside, FARTHEST))
    if len(others) < LEAST_HELD_OUT // 2:
        return usual
    tried = np.unique(np.concatenate([[usual], others, inside]))
    kept = [(inside >= floor).mean() + (others < floor).mean() for floor in tried]
    return float(tried[int(np.argmax(kept))])


def _further(probabilities: Floats, given: Sequence[tuple[int, ...]]) -> float:
    """The share of the best one's probability that makes the micro-F1 of the held-out examples highest.

    Among those that give hardly more codes than people did: where the probe is unsure, two guesses would raise F1.
    """
    wanted = sum(len(codes) for codes in given)
    best, chosen = -1.0, NEVER
    for share in TRIED_FURTHER:
        found = _by_share(probabilities, share)
        hits = sum(len(set(a) & set(b)) for a, b in zip(found, given, strict=True))
        f1 = 2 * hits / (wanted + sum(map(len, found)))
        if f1 >= best and sum(map(len, found)) <= MOST_MORE * max(wanted, len(given)):
            best, chosen = f1, share
    return chosen


def _by_share(probabilities: npt.NDArray[np.floating], share: float) -> list[tuple[int, ...]]:
    width = min(MOST_CODES, probabilities.shape[1])
    top = np.argsort(-probabilities, axis=1, kind="stable")[:, :width]
    held = np.take_along_axis(probabilities, top, axis=1)
    kept = held >= share * held[:, :1]
    kept[:, 0] = True
    return [tuple(codes[keep].tolist()) for codes, keep in zip(top, kept, strict=True)]


def _chosen(probabilities: Vectors, near: Vectors, thresholds: Thresholds) -> tuple[tuple[int, ...], ...]:
    found = _by_share(probabilities, thresholds.further)
    return tuple(
        codes if close else () for codes, close in zip(found, (near >= thresholds.floor).tolist(), strict=True)
    )


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)
