"""Whether an English answer praises, blames, does both or neither, by its words; no model.

Words are weighed by a list, turned by a negation before them, and strengthened or weakened by what stands beside them.
Praise and blame are summed apart, so that `good but slow` is mixed and not neutral by chance.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

from holdfast.codeframe.polarity_phrases import PHRASES, REQUESTS
from holdfast.codeframe.polarity_words import (
    CONTRASTS,
    FACES,
    NEGATIONS,
    SENTENCE_STARTS,
    STRONGER,
    WEAKER,
    WEIGHTS,
)
from holdfast.codeframe.preprocess import normalise

Polarity: TypeAlias = Literal["positive", "neutral", "negative"]

TURNED = -0.7  # `not good` is not as bad as `bad`
NEGATED_WITHIN = 3  # words behind a negation
MIXED = 0.45  # the lesser side's share of the greater one
CONTRASTED = 0.25  # the same, where the answer says `but`
REQUEST = -2.0
SMOOTHING = 1.0  # weight that says nothing, so that one mild word is not certainty

_PHRASES = tuple((re.compile(rf"\b(?:{pattern})(?!\w)"), weight) for weight, pattern in PHRASES)
_REQUEST = re.compile(rf"(?:^|[.;!?]\s*){REQUESTS}")
_TOKENS = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|[.;!?,]")
_NOT_NEGATED = frozenset({"only", "just", "doubt", "wonder"})  # behind a `not` or `no` that negates nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentiment:
    """An answer's polarity."""

    polarity: Polarity  # neutral: neither, or both
    is_mixed: bool
    praise: float  # weight of its praise, 0 or more
    blame: float

    @property
    def certainty(self) -> float:
        """0..1: how one-sided it is; of a mixed answer how even, of one without a sign of either 0.5."""
        both = self.praise + self.blame
        if not both:
            return 0.5
        if self.polarity == "neutral":
            return round(0.5 + 0.5 * min(self.praise, self.blame) / max(self.praise, self.blame), 3)
        return round(0.5 + 0.5 * abs(self.praise - self.blame) / (both + SMOOTHING), 3)


def sentiment_of(text: str) -> Sentiment:
    """The sentiment of one answer; English words and faces are understood, others say nothing."""
    said = normalise(text).casefold().replace("\u2019", "'").replace("\u2018", "'")
    praise = blame = 0.0
    for weight in _signs(said):
        praise, blame = praise + max(weight, 0.0), blame + max(-weight, 0.0)
    least, most = sorted((praise, blame))
    needed = CONTRASTED if CONTRASTS & set(_TOKENS.findall(said)) else MIXED
    is_mixed = most > 0 and least >= needed * most and least >= 1.0
    polarity: Polarity = "neutral" if is_mixed or praise == blame else "positive" if praise > blame else "negative"
    return Sentiment(polarity=polarity, is_mixed=is_mixed, praise=round(praise, 3), blame=round(blame, 3))


def _signs(said: str) -> list[float]:
    """The weight of each sign of praise or blame: phrases first, then the words that are left, then faces."""
    found = [FACES[char] for char in said if char in FACES]
    for pattern, weight in _PHRASES:
        said, n = pattern.subn(" , ", said)
        found += [weight] * n
    if _REQUEST.search(said.strip(" ,")):
        found.append(REQUEST)
        said = _REQUEST.sub(" ", said.strip(" ,"))
    return found + _words(_TOKENS.findall(said))


def _words(tokens: list[str]) -> list[float]:
    found: list[float] = []
    negated = 0  # words for which a negation still holds
    for before, token in pairwise(["", *_without_answer(tokens)]):
        plain = token.replace("'", "")
        if not token[0].isalpha() or token in CONTRASTS:
            negated = 0
        elif plain in NEGATIONS or token.endswith("n't"):
            negated = NEGATED_WITHIN + 1
        elif token in _NOT_NEGATED:
            negated = 0
        elif weight := weight_of(token):
            factor = 1.4 if before in STRONGER else 0.6 if before in WEAKER else 1.0
            found.append(weight * factor * (TURNED if negated else 1.0))
        negated = max(0, negated - 1)
    return found


def _without_answer(tokens: list[str]) -> list[str]:
    """Without the `nothing` that is the whole answer to the question, before a sentence that says why."""
    first, second = [*tokens, "", ""][:2]
    return tokens[1:] if first in {"nothing", "none", "no"} and second in SENTENCE_STARTS else tokens


def weight_of(word: str) -> float:
    """The word's weight, also in a form that is not listed; 0 for a word that says neither."""
    if word in WEIGHTS:
        return WEIGHTS[word]
    for ending in ("ly", "ness", "s", "es", "ed", "d", "ing"):
        root = word.removesuffix(ending)
        if root != word and len(root) > 3 and root in WEIGHTS:
            return WEIGHTS[root]
    return 0.0
