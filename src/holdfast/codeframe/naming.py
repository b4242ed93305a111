"""Names of two to five words, put together from phrases and short answers, and the choice between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.values import Phrase, Vectors
from holdfast.codeframe.words import PRAISE, STOPS, is_adjective, is_noun, stem

CONSIDERED, PAIRS, SHORT_ANSWERS = 12, 6, 5  # phrases, pairs and answers that may become a name
SAID_OFTEN = 0.06  # share of the answers above which a phrase need not be said more often to name them
# An answer that begins like this, or is half a sentence, is no name.
PERSONAL = frozenset(
    {"i", "you", "he", "she", "they", "we", "my", "your", "it", "nothing", "no"}
    | {"because", "and", "but", "so", "just", "if", "when", "that", "as", "been"}
)
HALVES = frozenset({"been", "your", "my", "am"})
LONGEST_NAME = 5  # words


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible name."""

    text: str
    strength: float  # 0..1, by counting
    share: float  # of the answers that say it


def stems(name: str) -> frozenset[str]:
    """The words that carry a name, whatever their order and number."""
    words = (word.strip("(),:'\u2019").lower() for word in name.split())
    return frozenset(stem(word) for word in words if word and word not in STOPS)


def sentence_case(text: str) -> str:
    """The first letter large, the others as they are."""
    return text[:1].upper() + text[1:]


def candidates(phrases: Sequence[Phrase], answers: Sequence[str]) -> list[Candidate]:
    """Possible names, without order: phrases, pairs of phrases, and short typical answers."""
    top = [phrase for phrase in phrases if _can_stand(phrase.text)][:CONSIDERED]
    best = max((phrase.score for phrase in top), default=1.0)
    found = {phrase.text: Candidate(phrase.text, _strength(phrase, best), phrase.share) for phrase in top}
    for pair in sorted(_pairs(top, best), key=lambda pair: (-pair.strength, pair.text))[:PAIRS]:
        found.setdefault(pair.text, pair)
    known = {word for phrase in phrases for word in phrase.text.lower().split()}
    short = [text for answer in answers if (text := _short_answer(answer, known))]
    for text in short[:SHORT_ANSWERS]:
        found.setdefault(text, Candidate(text, 0.3, 0.0))
    return list(found.values())


def _can_stand(text: str) -> bool:
    """It holds a word with a meaning of its own, and no half a verb form."""
    if " " not in text and text.istitle():
        return False  # a person's or a place's name: it does not tell what the answers are about
    words = text.lower().split()
    return "'" not in text and any(len(word) > 2 for word in words) and not any(set(word) == {"x"} for word in words)


def _strength(phrase: Phrase, best: float) -> float:
    words = phrase.text.split()
    fit = 1.0
    if len(words) == 1:
        fit = 0.56 if is_noun(words[0].lower()) else 0.3
    if any(word.istitle() for word in words[1:]):
        fit *= 0.6
    said = min(1.0, phrase.share / SAID_OFTEN)
    return float(np.sqrt(max(phrase.score / best, 0.0) * said)) * fit


def _short_answer(answer: str, known: set[str]) -> str | None:
    """A whole answer that reads as a name: no clauses, no odd words, and about somebody's topic, not about "I"."""
    bare = answer.strip(" .!?")
    words = bare.split()
    if not 2 <= len(words) <= LONGEST_NAME or not all(word.isalpha() for word in words):
        return None
    lower = [word.lower() for word in words]
    if lower[0] in PERSONAL or HALVES & set(lower) or any(set(word) == {"x"} for word in lower):
        return None
    if any(word not in STOPS and word not in known for word in lower):
        return None
    regular = all(word.islower() or word.istitle() or word.isupper() for word in words) and not bare.isupper()
    return bare if regular else bare.lower()


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
            kept = 0.85 if len(text.split()) > 3 else 0.62
            found.append(Candidate(text, kept * float(np.sqrt(relative)), first.share + 0.5 * second.share))
    return found


def _joined(first: list[str], second: list[str]) -> str | None:
    if {stem(word) for word in first} & {stem(word) for word in second}:
        shared = len(first) == len(second) == 2 and stem(first[1]) == stem(second[1])
        tells = {first[0], second[0]} - PRAISE
        if shared and tells and is_adjective(first[0]) and is_adjective(second[0]):
            return f"{first[0]} and {second[0]} {first[1]}"
        return None
    if len(first) != 1 or len(second) != 1:
        return None
    a, b = first[0].lower(), second[0].lower()
    both = (is_noun(a) and is_noun(b)) or (is_adjective(a) and is_adjective(b))
    return f"{first[0]} and {second[0]}" if both and not (first[0].istitle() or second[0].istitle()) else None


def rank(
    options: Sequence[Candidate], centre: Vectors, contrast: Vectors, embedder: Embedder | None
) -> list[tuple[float, Candidate]]:
    """Best first: what is counted often, and, when an embedder can tell, what means the cluster and not `contrast`."""
    if not options:
        return []
    ordered = sorted(options, key=lambda option: option.text)
    fit = np.zeros(len(ordered))
    if embedder is not None and not embedder.whole_corpus:
        fit = _fit(ordered, centre, contrast, embedder)
    scored = [
        (round(float(0.7 * option.strength + 1.2 * near), 4), option) for near, option in zip(fit, ordered, strict=True)
    ]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].text))


def _fit(
    options: Sequence[Candidate], centre: Vectors, contrast: Vectors, embedder: Embedder
) -> npt.NDArray[np.float64]:
    """Nearness to the centre, less what is owed to the neighbours; a pair of words must also hold together."""
    halves = sorted({half for option in options if (pair := _halves(option.text)) for half in pair})
    vectors = embedder.embed([*(option.text for option in options), *halves])
    own, parts = vectors[: len(options)], dict(zip(halves, vectors[len(options) :], strict=True))
    fit = (own @ centre).astype(np.float64)
    if len(contrast):
        fit -= 0.5 * (own @ contrast.T).mean(axis=1)
    for place, option in enumerate(options):
        if pair := _halves(option.text):
            fit[place] -= 0.25 * (1.0 - float(parts[pair[0]] @ parts[pair[1]]))
    return fit


def _halves(text: str) -> tuple[str, str] | None:
    words = text.split()
    return (words[0], words[2]) if len(words) == 3 and words[1] == "and" else None


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
