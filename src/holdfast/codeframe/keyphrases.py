"""Phrases that tell a cluster from its neighbours, cut from the answers themselves."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from holdfast.codeframe.grammar import Grammar
from holdfast.codeframe.values import Phrase
from holdfast.codeframe.words import (
    BRIDGES,
    COPULAS,
    DETERMINERS,
    LINKS,
    NEGATIONS,
    NOUNS_TOO,
    STOPS,
    TURNS,
    is_adjective,
    is_adverb,
    is_noun,
    is_verb,
    stem,
)

LONGEST = 4  # words, links included
READ = 150  # words of an answer that are read
LONGEST_ACRONYM, VOWELS, TITLES = 4, frozenset("aeiouy"), frozenset({"mr", "mrs", "dr", "st", "vs", "ft", "pls", "thx"})
MOSTLY_CUT = 0.5  # share of its uses in which a phrase goes on, above which it is half of another one
KEPT, KEPT_SINGLE = 40, 15  # phrases, and single words, kept for a cluster

_SEGMENT = re.compile('[.,;:!?()\\[\\]{}"\u201c\u201d/\\\\|\u2026\n]+|\\s[-\u2013\u2014]+\\s|[\u2013\u2014]')
_WORD = re.compile("[^\\W_]+(?:['\u2019\\-][^\\W_]+)*")

ASKING = frozenset({"what", "which", "whose", "many", "much", "of"})

Key = tuple[str, ...]


@dataclass
class PhraseCounts:
    """How many answers of a cluster say each phrase, and in which words."""

    answers: int = 0
    counts: Counter[Key] = field(default_factory=Counter)
    cut: Counter[Key] = field(default_factory=Counter)  # answers where the phrase goes on: "freeze bank | account"


@dataclass
class Spellings:
    """The words as they are mostly written, over all clusters."""

    phrases: dict[Key, Counter[Key]] = field(default_factory=lambda: defaultdict(Counter))
    words: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    grammar: Grammar = field(default_factory=Grammar)

    def best(self, key: Key) -> str:
        uses = self.phrases[key]
        words = min(uses, key=lambda spelling: (-uses[spelling], spelling))
        return " ".join(self._cased(word) for word in words)

    def _cased(self, word: str) -> str:
        """Lower case, unless most writers use capitals (NHS, Spanish) in the middle of a sentence."""
        uses = self.words[word]
        if not uses:
            return word
        best = min(uses, key=lambda form: (-uses[form], form))
        if best.islower() and 2 <= len(best) <= LONGEST_ACRONYM and not set(best) & VOWELS and best not in TITLES:
            return best.upper()  # tv, gps: who writes all in small letters writes these so too
        regular = best.islower() or best.istitle() or best.isupper()
        return best if regular and uses[best] * 2 > sum(uses.values()) else word


def count_phrases(texts: Iterable[tuple[str, int]], spellings: Spellings) -> PhraseCounts:
    """Each answer counts once for a phrase, however often it says it."""
    found = PhraseCounts()
    for text, weight in texts:
        found.answers += weight
        said: dict[Key, Key] = {}
        cut: set[Key] = set()
        for words in _segments(text, spellings):
            for phrase, goes_on in _phrases(words):
                key = tuple(map(stem, phrase))
                said.setdefault(key, phrase)
                if goes_on:
                    cut.add(key)
        for key, phrase in said.items():
            found.counts[key] += weight
            spellings.phrases[key][phrase] += 1
        for key in cut:
            found.cut[key] += weight
    return found


def _segments(text: str, spellings: Spellings) -> Iterator[list[str]]:
    left = READ
    shouted = text.isupper()
    for segment in _SEGMENT.split(TURNS.sub(" ", text)):
        written = [word.replace("\u2019", "'") for word in _WORD.findall(segment)][:left]
        left -= len(written)
        if not shouted:
            for word in written[1:]:
                spellings.words[word.lower()][word] += 1
        spellings.grammar.read(written)
        if written:
            yield [word.lower() for word in written]
        if left <= 0:
            return


def _phrases(words: list[str]) -> Iterator[tuple[Key, bool]]:
    """Word runs that neither begin nor end with a stop word, and whether a noun follows that belongs to them."""
    for plain in _plain(words):
        yield from _runs(plain)
        for described in _predicates(plain):
            yield described, False


def _plain(words: list[str]) -> Iterator[list[str]]:
    """Without bridges; an article after a noun begins something new: "what gas | my car takes"."""
    plain: list[str] = []
    for word in words:
        if word in DETERMINERS and _is_thing(plain[-2:]):
            yield plain
            plain = []
        elif word not in BRIDGES and not is_adverb(word):
            plain.append(word)
    yield plain


def _is_thing(last: list[str]) -> bool:
    """Not a verb that no list knows: "what gas", "credit card", but not "please flip"."""
    if len(last) < 2 or not is_noun(last[1]) or last[1] in NOUNS_TOO:
        return False
    return last[0] in ASKING or is_noun(last[0]) or is_adjective(last[0])


def _runs(plain: list[str]) -> Iterator[tuple[Key, bool]]:
    for start, first in enumerate(plain):
        if first in STOPS or first.isdigit():
            continue
        denied = start > 0 and plain[start - 1] == "no" and is_noun(first)
        yield ("no", first) if denied else (first,), _goes_on(plain, start)
        for end in range(start + 1, min(start + LONGEST, len(plain))):
            last = plain[end]
            if last in LINKS:
                continue
            if last in STOPS:
                break
            if not _is_denied(plain, start):
                yield tuple(plain[start : end + 1]), _goes_on(plain, end)


def _goes_on(plain: list[str], end: int) -> bool:
    return end + 1 < len(plain) and is_noun(plain[end]) and is_noun(plain[end + 1])


def _is_denied(plain: list[str], start: int) -> bool:
    """ "not friendly staff" does not say "friendly staff"."""
    return start > 0 and plain[start - 1] in NEGATIONS and is_adjective(plain[start])


def _predicates(plain: list[str]) -> Iterator[Key]:
    """From `noun copula adjective (and adjective)`: the adjective before the noun."""
    for place, word in enumerate(plain):
        if word not in COPULAS or place == 0 or not is_noun(plain[place - 1]):
            continue
        noun = [plain[place - 1]]
        if place > 1 and is_noun(plain[place - 2]):
            noun.insert(0, plain[place - 2])
        for described in plain[place + 1 : place + 5]:
            if is_adjective(described):
                yield (described, *noun[-1:])
                if len(noun) == 2:
                    yield (described, *noun)
            elif described != "and":
                break


def rank_phrases(
    own: PhraseCounts, near: Sequence[PhraseCounts], rest: PhraseCounts, spellings: Spellings
) -> tuple[Phrase, ...]:
    """The cluster's phrases, the most telling first; `rest` counts every cluster, this one included."""
    least = 2.0 if own.answers >= 4 else 1.0
    ranked: list[tuple[float, Key]] = []
    for key, count in own.counts.items():
        if count < least or own.cut[key] > MOSTLY_CUT * count:
            continue
        score = _telling(key, count, own, near, rest) * _shape(key) * (1 - 0.7 * own.cut[key] / count)
        if score > 0:
            ranked.append((score, key))
    ranked.sort(key=lambda pair: (-pair[0], pair[1]))
    single = [pair for pair in ranked if len(pair[1]) == 1][:KEPT_SINGLE]
    longer = [pair for pair in ranked if len(pair[1]) > 1][:KEPT]
    chosen = sorted([*single, *longer], key=lambda pair: (-pair[0], pair[1]))
    return tuple(_phrase(score, key, own, near, spellings) for score, key in chosen)


def _telling(key: Key, count: float, own: PhraseCounts, near: Sequence[PhraseCounts], rest: PhraseCounts) -> float:
    """Pointwise divergence: said by many here and by few elsewhere, above all by few of the neighbours."""
    share = count / own.answers
    others = max(rest.answers - own.answers, 1.0)
    away = (rest.counts[key] - count + 0.5) / (others + 1)
    beside = (sum(n.counts[key] for n in near) + 0.5) / (sum(n.answers for n in near) + 1) if near else away
    return share * math.log((share + 1e-6) / (0.5 * away + 0.5 * beside))


_LENGTHS = {1: 0.55, 2: 1.2, 3: 1.15, 4: 0.8}


def _shape(key: Key) -> float:
    """How well the phrase reads as a name."""
    first, last = key[0], key[-1]
    fit = _LENGTHS[len(key)]
    if any(is_verb(word) for word in key[1:]):
        fit *= 0.55
    if is_noun(last):
        return fit * (0.85 if is_verb(first) else 1.0)
    if is_verb(last):
        return fit * 0.4
    return fit * 0.35  # an adjective or adverb at the end leaves the reader waiting


def _phrase(score: float, key: Key, own: PhraseCounts, near: Sequence[PhraseCounts], spellings: Spellings) -> Phrase:
    beside = sum(n.answers for n in near)
    elsewhere = sum(n.counts[key] for n in near) / beside if beside else 0.0
    return Phrase(
        text=spellings.best(key),
        count=round(own.counts[key], 3),
        share=round(own.counts[key] / own.answers, 4),
        elsewhere=round(elsewhere, 4),
        score=round(score, 5),
    )
