"""How far two codings of the same answers agree: a machine's with a person's, or two persons'.

A coding is a set of codes for each answer (`MultiCodes`) or its one best code. Sources of the formulas:
precision, recall, micro-F1: van Rijsbergen, Information Retrieval (1979), counted over all pairs of answer and code;
kappa: Cohen, Educational and Psychological Measurement 20 (1960); alpha: Krippendorff, Content Analysis (2004),
chapter 11, by the coincidence matrix; distances of sets: Passonneau, LREC (2006), for MASI.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

MultiCodes: TypeAlias = Sequence[frozenset[str]]
Distance: TypeAlias = Callable[[Hashable, Hashable], float]  # 0 for the same, 1 for nothing in common


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Precision, recall and their harmonic mean; each is 0 where nothing could be counted."""

    n: int  # times the second coder, the person, gave it
    found: int  # times the first coder gave it
    hit: int  # times both did

    @property
    def precision(self) -> float:
        return self.hit / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.hit / self.n if self.n else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.hit / (self.n + self.found) if self.n + self.found else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """A code one coder gave where the other gave another."""

    ours: str
    theirs: str
    n: int


def micro_figures(ours: MultiCodes, theirs: MultiCodes) -> Figures:
    """Over all pairs of answer and code together."""
    pairs = list(zip(ours, theirs, strict=True))
    return Figures(
        n=sum(len(b) for _, b in pairs), found=sum(len(a) for a, _ in pairs), hit=sum(len(a & b) for a, b in pairs)
    )


def code_figures(ours: MultiCodes, theirs: MultiCodes) -> dict[str, Figures]:
    """Those of each code that either coder used, by name."""
    n = Counter(code for codes in theirs for code in codes)
    found = Counter(code for codes in ours for code in codes)
    hit = Counter(code for a, b in zip(ours, theirs, strict=True) for code in a & b)
    return {code: Figures(n=n[code], found=found[code], hit=hit[code]) for code in sorted(n | found)}


def cohen_kappa(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> float | None:
    """Agreement beyond chance of two coders with one code an answer; None where chance alone explains everything."""
    n = len(ours)
    if n == 0:
        return None
    observed = sum(a == b for a, b in zip(ours, theirs, strict=True)) / n
    left, right = Counter(ours), Counter(theirs)
    expected = sum(left[code] * right[code] for code in left) / n**2
    return (observed - expected) / (1 - expected) if expected < 1 else None


def nominal(a: Hashable, b: Hashable) -> float:
    """0 for the same code, 1 for another."""
    return float(a != b)


def jaccard(a: Hashable, b: Hashable) -> float:
    """Of two sets: 1 less the share of codes they have in common; two empty sets are the same."""
    assert isinstance(a, frozenset)
    assert isinstance(b, frozenset)
    return 1 - len(a & b) / len(a | b) if a | b else 0.0


def masi(a: Hashable, b: Hashable) -> float:
    """Of two sets: Jaccard, with a lesser penalty when one holds the other (Passonneau 2006)."""
    assert isinstance(a, frozenset)
    assert isinstance(b, frozenset)
    if a == b:
        return 0.0
    monotone = 2 / 3 if a <= b or b <= a else 1 / 3 if a & b else 0.0
    return 1 - (1 - jaccard(a, b)) * monotone


def krippendorff_alpha(units: Sequence[Sequence[Hashable | None]], distance: Distance = nominal) -> float | None:
    """Reliability of any number of coders; `units` holds each answer's codes, None where a coder gave none.

    Answers coded once are no evidence and left out. None without a pair, or when all codes are the same one.
    """
    coded = [[value for value in unit if value is not None] for unit in units]
    coded = [values for values in coded if len(values) > 1]
    totals = Counter(value for values in coded for value in values)
    n = totals.total()
    within = sum(_disagreement(Counter(values), distance) / (len(values) - 1) for values in coded)
    chance = _disagreement(totals, distance)
    return None if chance == 0 else 1 - (n - 1) * within / chance


def _disagreement(counts: Counter[Hashable], distance: Distance) -> float:
    """The distances of all ordered pairs of these values."""
    if distance is nominal:
        return float(counts.total() ** 2 - sum(count**2 for count in counts.values()))
    values = list(counts.items())
    return 2 * sum(
        n * m * distance(a, b) for place, (a, n) in enumerate(values) for b, m in values[place + 1 :] if n and m
    )


def confusions(ours: MultiCodes, theirs: MultiCodes, *, most: int = 10) -> list[Confusion]:
    """What was most often given for what: each of our codes the person did not give, with each of theirs we did not."""
    counts: Counter[tuple[str, str]] = Counter()
    for a, b in zip(ours, theirs, strict=True):
        counts.update((x, y) for x in a - b for y in b - a)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Confusion(ours=x, theirs=y, n=n) for (x, y), n in ranked[:most]]


def best_matching(ours: MultiCodes, theirs: MultiCodes) -> dict[str, str]:
    """Which of their codes each of ours stands for, one to one, with the most answers in common (Hungarian method).

    Codes that share no answer with their partner are left unmatched. Ties go by name, whatever the order of the rows.
    """
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - slow to import

    left, right = (sorted({code for codes in side for code in codes}) for side in (ours, theirs))
    rows, columns = ({code: n for n, code in enumerate(side)} for side in (left, right))
    together = np.zeros((len(left), len(right)))
    for a, b in zip(ours, theirs, strict=True):
        for x in a:
            for y in b:
                together[rows[x], columns[y]] += 1
    found = zip(*linear_sum_assignment(-together), strict=True)
    return {left[x]: right[y] for x, y in found if together[x, y] > 0}
