"""The next wave of a survey: new answers coded with last wave's frame, what moved since, and what is new."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.examples import Example, Learned, learn
from holdfast.codeframe.pipeline import cluster_stage, label_stage
from holdfast.codeframe.preprocess import Prepared, prepare
from holdfast.codeframe.rules import RULES
from holdfast.codeframe.values import OTHER_NUMBER, FrameConfig, Vectors

LEAST_OTHERS = 20  # different answers in Other before new themes are looked for among them
SHOWN = 3  # quotes of a new theme
MOST_BEFORE = 10_000  # answers of last wave that are coded anew to compare with
WEAK = 20  # answers that were coded by a machine teach a code as long as a person confirmed fewer


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCode:
    """A code of last wave's frame."""

    number: int  # kept in every wave
    name: str
    description: str

    @property
    def said(self) -> str:
        """What stands for the code among the answers."""
        return f"{self.name}. {self.description}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """An answer whose codes are known; no number says that it belongs in Other."""

    text: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTheme:
    """Answers in Other that say the same."""

    name: str
    n_answers: int
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedRows:
    """Answers row by row."""

    numbers: tuple[tuple[int, ...], ...]  # of each row's codes, the best first; none: Other or a rule code
    scores: tuple[tuple[float, ...], ...]  # each one's probability
    rules: tuple[str | None, ...]  # key of a row's rule code

    @property
    def complete(self) -> list[tuple[int, ...]]:
        """The numbers with those of Other and the rule codes."""
        return [
            numbers or ((OTHER_NUMBER,) if rule is None else (RULES[rule].number,))
            for numbers, rule in zip(self.numbers, self.rules, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """The new answers, the old ones coded in the same way, and what of the new ones the frame does not have."""

    now: CodedRows
    then: CodedRows
    themes: tuple[NewTheme, ...]  # the largest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A code's share then and now."""

    number: int
    then: float
    now: float
    p: float  # of a difference this large by chance, two-sided, after Holm's correction for all codes


def code_wave(
    texts: Sequence[str],
    codes: Sequence[KnownCode],
    taught: Sequence[Taught],
    embedder: Embedder,
    *,
    before: Sequence[str] = (),
) -> Wave:
    """Code new answers with a known frame and answers whose codes are known.

    `before`: last wave's answers, coded together with the new ones. Two waves that different coders coded (a person
    and a machine, or two machines) differ also where people say the same; these two have one coder.
    """
    n = len(texts) + len(before)
    prepared = prepare([*texts, *before, *(each.text for each in taught)])
    made = embedder.embed([*prepared.distinct, *(code.said for code in codes)])  # together: some have to see all
    vectors, names = made[: len(prepared.distinct)], made[len(prepared.distinct) :]
    index = prepared.index[:n]
    weights = np.bincount(index[index >= 0], minlength=len(vectors))
    found = learn(vectors, names, _examples(prepared, taught, codes, n), weights=weights)
    now, then = (_rows(found, prepared, codes, rows) for rows in (range(len(texts)), range(len(texts), n)))
    said = index[: len(texts)]
    weights = np.bincount(said[said >= 0], minlength=len(vectors))
    others = np.array([row for row in range(len(vectors)) if weights[row] and not found.codes[row]], dtype=np.intp)
    themes = _new_themes([prepared.distinct[row] for row in others], vectors[others], weights[others], embedder)
    return Wave(now=now, then=then, themes=themes)


def _rows(found: Learned, prepared: Prepared, codes: Sequence[KnownCode], rows: range) -> CodedRows:
    index = prepared.index[rows.start : rows.stop].tolist()
    places = [found.codes[text] if text >= 0 else () for text in index]
    sure = found.probabilities
    return CodedRows(
        numbers=tuple(tuple(codes[place].number for place in own) for own in places),
        scores=tuple(tuple(float(sure[text, place]) for place in own) for text, own in zip(index, places, strict=True)),
        rules=prepared.rules[rows.start : rows.stop],
    )


def weak_examples(coded: Iterable[Taught], confirmed: Sequence[Taught]) -> list[Taught]:
    """Coded answers with one code, the same whatever their order, for codes with few confirmed ones."""
    shown = Counter(number for each in confirmed for number in each.numbers)
    found: dict[int, set[str]] = defaultdict(set)
    for each in coded:
        if len(each.numbers) == 1:
            found[each.numbers[0]].add(each.text)
    return [
        Taught(text=text, numbers=(number,))
        for number in sorted(found)
        for text in sorted(found[number], key=lambda text: (text[::-1], text))[: max(WEAK - shown[number], 0)]
    ]


def compared_with(texts: Sequence[str]) -> list[str]:
    """Last wave's answers to compare with: all, or of many an even sample, the same whatever their order."""
    if len(texts) <= MOST_BEFORE:
        return list(texts)
    ranked = sorted(texts)
    return [ranked[n] for n in np.linspace(0, len(ranked) - 1, MOST_BEFORE).astype(np.intp)]


def _examples(prepared: Prepared, taught: Sequence[Taught], codes: Sequence[KnownCode], first: int) -> list[Example]:
    """One an answer, however often it was given; the earlier of two that disagree."""
    place = {code.number: n for n, code in enumerate(codes)}
    found: dict[int, Example] = {}
    for row, each in enumerate(taught, start=first):
        text = int(prepared.index[row])
        if text >= 0:
            known = tuple(place[number] for number in each.numbers if number in place)
            found.setdefault(text, Example(row=text, codes=known))
    return list(found.values())


def _new_themes(
    texts: Sequence[str], vectors: Vectors, weights: np.ndarray[Any, Any], embedder: Embedder
) -> tuple[NewTheme, ...]:
    if len(texts) < LEAST_OTHERS:
        return ()
    rows = [text for text, weight in zip(texts, weights.tolist(), strict=True) for _ in range(int(weight))]
    prepared = prepare(rows)  # the same distinct texts, in the same order: both are sorted
    config = FrameConfig()
    clustering = cluster_stage(prepared, vectors, config)
    themes = [
        NewTheme(
            name=label_stage(k, clustering, config, embedder=None if embedder.whole_corpus else embedder).name,
            n_answers=brief.n_answers,
            quotes=tuple(exemplar.text for exemplar in brief.exemplars[:SHOWN]),
        )
        for k, brief in enumerate(clustering.briefs)
    ]
    return tuple(sorted(themes, key=lambda theme: (-theme.n_answers, theme.name)))


def drift(then: Sequence[Sequence[int]], now: Sequence[Sequence[int]]) -> list[Drift]:
    """How each code's share moved, by number; a code counts once an answer.

    The test is that of two proportions with a pooled variance (Fleiss, Statistical Methods for Rates and Proportions,
    chapter 2); it knows nothing of errors in the coding itself, so both waves have to be coded by the same coder.
    """
    before, after = (Counter(number for codes in wave for number in set(codes)) for wave in (then, now))
    numbers = sorted(before | after)
    raw = {number: _p(before[number], len(then), after[number], len(now)) for number in numbers}
    held = _holm(raw)
    return [
        Drift(
            number=number,
            then=before[number] / max(len(then), 1),
            now=after[number] / max(len(now), 1),
            p=held[number],
        )
        for number in numbers
    ]


def _p(before: int, n_before: int, after: int, n_after: int) -> float:
    if not n_before or not n_after:
        return 1.0
    pooled = (before + after) / (n_before + n_after)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / n_before + 1 / n_after))
    if spread == 0:
        return 1.0
    return math.erfc(abs(before / n_before - after / n_after) / spread / math.sqrt(2))


def _holm(raw: Mapping[int, float]) -> dict[int, float]:
    """Holm, Scandinavian Journal of Statistics 6 (1979): the chance of any false alarm is no larger than p."""
    held, highest = {}, 0.0
    for place, number in enumerate(sorted(raw, key=lambda n: (raw[n], n))):
        highest = max(highest, min(1.0, raw[number] * (len(raw) - place)))
        held[number] = highest
    return held
