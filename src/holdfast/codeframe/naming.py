"""Names of two to five words, put together from phrases and short answers, and the choice between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.values import Phrase, Vectors
from holdfast.codeframe.words import LINKS, STOPS, VERBS, is_adjective, is_noun, stem

CONSIDERED = 14  # phrases that may become a name or part of one
LONGEST_NAME = 5  # words


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible name."""

    text: str
    strength: float  # 0..1, by counting
    share: float  # of the answers that say it


def stems(name: str) -> frozenset[str]:
    """The words that carry a name, whatever their order and number."""
    words = (word.strip("(),:'’").lower() for word in name.split())
    return frozenset(stem(word) for word in words if word and word not in STOPS)


def sentence_case(text: str) -> str:
    """The first letter large, the others as they are."""
    return text[:1].upper() + text[1:]


def candidates(phrases: Sequence[Phrase], answers: Sequence[str]) -> list[Candidate]:
    """Possible names, without order: phrases, pairs of phrases, and short typical answers."""
    top = [phrase for phrase in phrases if _can_stand(phrase.text)][:CONSIDERED]
    best = max((phrase.score for phrase in top), default=1.0)
    found = {}
    for phrase in top:
        found[phrase.text] = Candidate(phrase.text, _strength(phrase.score / best, phrase.text), phrase.share)
    for pair in _pairs(top, best):
        found.setdefault(pair.text, pair)
    for answer in answers:
        words = answer.strip(" .!?").split()
        if 2 <= len(words) <= LONGEST_NAME and not answer.isupper():
            text = " ".join(words)
            found.setdefault(text, Candidate(text, 0.25, 0.0))
    return list(found.values())


def _can_stand(text: str) -> bool:
    """It holds a word with a meaning of its own, and no half a verb form."""
    words = text.lower().split()
    return "'" not in text and any(len(word) > 2 for word in words)


def _strength(relative: float, text: str) -> float:
    words = text.split()
    single = 0.75 if len(words) == 1 else 1.0
    return float(np.sqrt(max(relative, 0.0))) * single


def _pairs(top: Sequence[Phrase], best: float) -> list[Candidate]:
    """ "Friendly and helpful staff", "Food and meals", "Caring and professional"."""
    found = []
    for place, first in enumerate(top[:8]):
        for second in top[place + 1 : 10]:
            text = _joined(first.text.split(), second.text.split())
            if text is None or len(text.split()) > LONGEST_NAME:
                continue
            if second.share < 0.35 * first.share or second.score < 0.3 * first.score:
                continue
            relative = min((first.score + 0.6 * second.score) / best, 1.6)
            found.append(Candidate(text, 0.82 * float(np.sqrt(relative)), first.share + 0.5 * second.share))
    return found


def _joined(first: list[str], second: list[str]) -> str | None:
    if {stem(word) for word in first} & {stem(word) for word in second}:
        shared = len(first) == len(second) == 2 and stem(first[1]) == stem(second[1])
        if shared and is_adjective(first[0]) and is_adjective(second[0]):
            return f"{first[0]} and {second[0]} {first[1]}"
        return None
    if len(first) != 1 or len(second) != 1:
        return None
    same_kind = is_noun(first[0]) == is_noun(second[0]) and is_adjective(first[0]) == is_adjective(second[0])
    return f"{first[0]} and {second[0]}" if same_kind and first[0] not in VERBS else None


def rank(options: Sequence[Candidate], centre: Vectors, embedder: Embedder | None) -> list[tuple[float, Candidate]]:
    """Best first: what is counted often, and, when an embedder can tell, what means the same as the whole cluster."""
    if not options:
        return []
    ordered = sorted(options, key=lambda option: option.text)
    fit = np.zeros(len(ordered))
    if embedder is not None and not embedder.whole_corpus:
        fit = (embedder.embed([option.text for option in ordered]) @ centre).astype(np.float64)
    scored = [
        (round(float(0.7 * option.strength + near * 1.1), 4), option) for near, option in zip(fit, ordered, strict=True)
    ]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].text))


def different(ranked: Sequence[tuple[float, Candidate]], n: int) -> list[Candidate]:
    """The first n whose words are not just another's."""
    chosen: list[Candidate] = []
    for _, option in ranked:
        own = stems(option.text)
        if own and all(own != stems(other.text) for other in chosen):
            chosen.append(option)
        if len(chosen) == n:
            break
    return chosen


def trimmed(text: str) -> str:
    """Without stop words at the ends."""
    words = text.split()
    while words and words[0].lower() in STOPS:
        words = words[1:]
    while words and (words[-1].lower() in STOPS or words[-1].lower() in LINKS):
        words = words[:-1]
    return " ".join(words)
