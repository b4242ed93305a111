"""What a cluster says, and how many of its answers say it: its own phrases, qualities of things, topics, themes."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product

import numpy as np

from holdfast.codeframe.evidence import Evidence
from holdfast.codeframe.grammar import Grammar
from holdfast.codeframe.topics import THEMES, TOPICS
from holdfast.codeframe.values import Floats, Phrase, PhraseKind
from holdfast.codeframe.words import PRAISE, QUALITIES, VAGUE, is_noun, root

LEAST = 0.04  # share of the answers below which nothing is worth telling
LEAST_THEME = 0.05
TOLERATED = 0.6  # of what is said elsewhere: above it a phrase loses all its worth where it is said as often
APART = 2.5  # how many times oftener two words may be counted in one answer than side by side
EVERYWHERE = 0.5  # share of all other answers that have a word: it is what the survey is about
BOTH = 0.25  # share of the rarer quality's answers that have the other one as well
TOGETHER = 0.3  # share of a quality's answers that also have the noun it is put before
JOINED, GAIN = (
    0.15,
    1.3,
)  # share of the answers that say each of two nouns; how many more say one of them than the first
SAID_TOGETHER = 0.1  # share of the answers above which a longer phrase says what two nouns would
SAME_WORD = 4  # letters at the beginning that two forms of a word share: "therapist", "therapy"
DESCRIBED, DESCRIBING = 5, 6  # nouns and adjectives that are put together: "Helpful session"


def what_is_said(k: int, phrases: Sequence[Phrase], evidence: Evidence, grammar: Grammar) -> tuple[Phrase, ...]:
    """The best first; phrases as ranked before them, now with the share of answers that say them in any order.

    Topics and themes have English names, and are not told in answers of another language.
    """
    known = {phrase.text for phrase in phrases}
    counted = [replace(_recounted(k, phrase, evidence), fit=grammar.fit(phrase.text)) for phrase in phrases]
    if grammar.is_foreign:
        return _ordered(counted)
    built = [
        *_built(k, counted, known, evidence),
        *_paired(k, counted, evidence),
        *_joined(k, counted, evidence, grammar),
    ]
    built = [replace(point, fit=grammar.fit(point.text)) for point in built]
    topics = [
        _point(k, topic.name, shares, evidence, kind="topic")
        for place, (topic, shares) in enumerate(zip(TOPICS, evidence.topic_shares, strict=True))
        if shares[k] >= LEAST and evidence.is_meant(place, k)
    ]
    themes = [
        _point(k, theme, shares, evidence, kind="theme")
        for theme, shares in zip(THEMES, evidence.theme_shares, strict=True)
        if shares[k] >= LEAST_THEME
    ]
    return (*_ordered([*counted, *built, *topics]), *themes)


def _ordered(points: Sequence[Phrase]) -> tuple[Phrase, ...]:
    return tuple(sorted(points, key=lambda p: (-strength(p), p.text)))


def strength(phrase: Phrase) -> float:
    """0..1: said by many here, and by few elsewhere."""
    if phrase.share <= 0:
        return 0.0
    telling = (phrase.share - TOLERATED * phrase.elsewhere) / (phrase.share + phrase.elsewhere)
    return math.sqrt(min(phrase.share, 1.0)) * max(telling, 0.05)


def _recounted(k: int, phrase: Phrase, evidence: Evidence) -> Phrase:
    """Qualities may stand apart from their noun; other words must also be found side by side."""
    shares = evidence.shares(evidence.saying(phrase.text))
    if phrase.text.split()[0] not in QUALITIES:
        shares = np.minimum(shares, APART * phrase.share)
    shares[k] = max(float(shares[k]), phrase.share)
    return replace(_point(k, phrase.text, shares, evidence), score=phrase.score)


def _point(k: int, text: str, shares: Floats, evidence: Evidence, *, kind: PhraseKind = "phrase") -> Phrase:
    return Phrase(
        text=text,
        count=round(float(shares[k] * evidence.answers[k]), 3),
        share=round(float(shares[k]), 4),
        elsewhere=round(evidence.elsewhere(shares, k), 4),
        score=0.0,
        kind=kind,
    )


def _built(k: int, counted: Sequence[Phrase], known: set[str], evidence: Evidence) -> list[Phrase]:
    """ "The session was really useful to us" holds "useful session", whatever stands between the two."""
    single = sorted((p for p in counted if " " not in p.text and p.text.islower()), key=lambda p: (-p.share, p.text))
    qualities = [p for p in single if p.text in QUALITIES][:DESCRIBING]
    nouns = [p for p in single if is_noun(p.text) and p.text not in VAGUE and len(p.text) > 2][:DESCRIBED]
    found = []
    for quality, noun in product(qualities, nouns):
        text = f"{quality.text} {noun.text}"
        if text in known or root(quality.text) == root(noun.text) or noun.elsewhere > EVERYWHERE:
            continue
        point = _point(k, text, evidence.shares(evidence.saying(text)), evidence)
        if point.share >= max(LEAST, TOGETHER * quality.share):
            found.append(point)
    return found


def _paired(k: int, points: Sequence[Phrase], evidence: Evidence) -> list[Phrase]:
    """ "Friendly and helpful staff", where enough say both."""
    described = [p for p in points if len(words := p.text.split()) == 2 and words[0] in QUALITIES - PRAISE]
    best = sorted(described, key=lambda p: (-strength(p), p.text))[:DESCRIBING]
    found = []
    for first, second in combinations(best, 2):
        (a, noun), (b, other) = first.text.split(), second.text.split()
        if root(noun) != root(other) or root(a) == root(b) or second.share < 0.5 * first.share:
            continue
        both = evidence.shares(evidence.saying(f"{a} {b} {noun}"))[k]
        if both >= BOTH * min(first.share, second.share):
            text = f"{a} and {b} {noun}"
            found.append(_point(k, text, evidence.shares(evidence.saying(text)), evidence))
    return found


def _joined(k: int, points: Sequence[Phrase], evidence: Evidence, grammar: Grammar) -> list[Phrase]:
    """ "Bluetooth and connection": two nouns that many say, though not together, where no phrase is said by many."""
    if any(p.share >= SAID_TOGETHER and p.fit for p in points if " " in p.text):
        return []
    nouns = [p for p in points if p.share >= JOINED and p.elsewhere <= p.share / 3 and _names_a_thing(p, grammar)]
    best = sorted(nouns, key=lambda p: (-p.share, p.text))[:DESCRIBED]
    found = []
    for first, second in combinations(best, 2):
        text = f"{first.text} and {second.text}"
        point = _point(k, text, evidence.shares(evidence.saying(text)), evidence)
        if first.text[:SAME_WORD] != second.text[:SAME_WORD] and point.share >= GAIN * first.share:
            found.append(point)
    return found


def _names_a_thing(point: Phrase, grammar: Grammar) -> bool:
    return " " not in point.text and point.fit > 0 and grammar.is_thing(point.text)
