"""The choice of a name: what many answers of the cluster say, few others do, means the cluster, and reads well."""

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.points import strength
from holdfast.codeframe.shapes import readable
from holdfast.codeframe.topics import PLACES, THEMES, TOPICS, is_judgement
from holdfast.codeframe.values import Floats, Phrase, Vectors
from holdfast.codeframe.words import STOPS, is_adjective, stem

CONSIDERED, TOPICS_CONSIDERED, SHORT_ANSWERS = 14, 8, 2  # of each kind that may become a name
LONGEST_NAME = 5  # words
LEAST_TOPIC = 0.12  # share of the answers that makes a topic a possible name
SEVERAL = 2  # answers that must say what becomes a name
TOPIC_FIT, JUDGEMENT_FIT = 0.97, 0.9
SAID_OFTEN, RARE = 0.2, 0.7  # share of the answers that makes a name true for the cluster; what is lost without any
BARE = 0.35  # what a single noun loses, or two side by side
COMMON, TOO_COMMON = 0.2, 2.5  # share of the other answers that may say a name as well; what is lost above it
NEAR, FAR = 0.25, 2.0  # cosine to the answers below which a known topic is hardly theirs; the weight of that
MOST = 0.5  # share of the answers that have a topic's words above which it is theirs all the same
BROAD, ONE_QUESTION = 0.4, 0.8  # mean cosine of two clusters: in a survey about a whole service, and about one motion
QUESTION, REPEATING = 0.6, 4.0  # cosine to what all answers say above which a name repeats the question; its weight
MEANING, CONTRAST = 1.3, 1.2  # weight of nearness to the centre, and of being nearer than to any other centre


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible name."""

    text: str
    strength: float  # 0..1, by counting, times how well it reads
    share: float  # of the answers that say it
    elsewhere: float = 0.0  # of all other answers
    bare: bool = False  # a noun, or two put side by side: what of it?


def stems(name: str) -> frozenset[str]:
    """The words that carry a name, whatever their order and number."""
    words = (word.strip("(),:'\u2019").lower() for word in name.split())
    return frozenset(stem(word) for word in words if word and word not in STOPS)


def identity(name: str) -> frozenset[str]:
    """Two names with the same identity are one name to a reader."""
    return stems(name) or frozenset({name.lower()})


def sentence_case(text: str) -> str:
    """The first letter large, the others as they are."""
    return text[:1].upper() + text[1:]


def candidates(phrases: Sequence[Phrase], answers: Sequence[str]) -> list[Candidate]:
    """Possible names, without order: phrases, topics, and short typical answers."""
    heard = [phrase for phrase in phrases if phrase.count >= SEVERAL]
    topics = [_topic(phrase) for phrase in heard if phrase.kind == "topic" and phrase.share >= LEAST_TOPIC]
    own = [_phrase(phrase) for phrase in heard if phrase.kind == "phrase"]
    found: dict[str, Candidate] = {}
    for option in [*_best(topics, TOPICS_CONSIDERED), *_best(own, CONSIDERED)]:
        found.setdefault(option.text.lower(), option)
    for text in [answer for answer in map(_short_answer, answers) if answer][:SHORT_ANSWERS]:
        found.setdefault(text.lower(), Candidate(text, 0.1, 0.0))
    return list(found.values())


def _best(options: Sequence[Candidate], n: int) -> list[Candidate]:
    return sorted((o for o in options if o.strength > 0), key=lambda o: (-o.strength, o.text))[:n]


def _phrase(phrase: Phrase) -> Candidate:
    bare = " " not in phrase.text or (phrase.score == 0 and _is_pair(phrase.text))
    return Candidate(phrase.text, phrase.fit * strength(phrase), phrase.share, phrase.elsewhere, bare)


def _is_pair(name: str) -> bool:
    """ "Buffering and freezing", but not "friendly and helpful"."""
    words = name.split()
    return len(words) == 3 and words[1] == "and" and not is_adjective(words[0])


def _topic(phrase: Phrase) -> Candidate:
    fit = JUDGEMENT_FIT if is_judgement(phrase.text) else TOPIC_FIT
    return Candidate(phrase.text, fit * strength(phrase), phrase.share, phrase.elsewhere)


# An answer that begins like this, or is half a sentence, is no name.
_PERSONAL = frozenset({"i", "you", "he", "she", "they", "we", "it", "because", "and", "but", "so", "just", "if", "as"})
_HALVES = frozenset({"been", "your", "my", "am", "when", "that"})


def _short_answer(answer: str) -> str | None:
    """A whole answer that reads as a name."""
    words = answer.strip(" .!?").split()
    if not 2 <= len(words) <= LONGEST_NAME or not all(word.isalpha() for word in words):
        return None
    lower = [word.lower() for word in words]
    if lower[0] in {"very", "really", "so", "extremely"}:
        lower = lower[1:]
    if lower[0] in _PERSONAL or _HALVES & set(lower):
        return None
    text = " ".join(lower)
    if not readable(text) or len(lower) < 2:
        return None
    written = " ".join(words[-len(lower) :])
    return text if written.isupper() else written


def rank(
    options: Sequence[Candidate], k: int, centres: Vectors, embedder: Embedder | None
) -> list[tuple[float, Candidate]]:
    """Best first: by counting, and, when an embedder can tell, by what means centre k and no other."""
    if not options:
        return []
    ordered = sorted(options, key=lambda option: option.text)
    fit = np.zeros(len(ordered))
    if embedder is not None and not embedder.whole_corpus:
        fit = _meaning(_vectors([option.text for option in ordered], embedder), k, centres)
        fit -= np.array([_doubt(option) for option in ordered]) * np.maximum(NEAR * MEANING - fit, 0.0)
    scored = [
        (round(option.strength + float(near) - _lacking(option), 4), option)
        for near, option in zip(fit, ordered, strict=True)
    ]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].text))


def _doubt(option: Candidate) -> float:
    """How far a known topic must mean what the answers mean: the less, the more of them have its words."""
    return FAR * max(0.0, 1 - option.share / MOST) if option.text in PLACES or option.text in THEMES else 0.0


def _meaning(names: Vectors, k: int, centres: Vectors) -> Floats:
    """How much nearer each name is to centre k than to any other, in what the survey does not say everywhere.

    Answers to "should we ban X?" all lie in the direction of X: a name that only repeats it tells no code from another.
    """
    n, mean = len(centres), centres.mean(axis=0).astype(np.float64)
    common = float(mean @ mean)
    alike = max(0.0, (common * n - 1) / (n - 1)) if n > 1 else 0.0  # mean cosine of two centres
    along = mean / max(np.sqrt(common), 1e-9)
    common_part = np.clip((alike - BROAD) / (ONE_QUESTION - BROAD), 0.0, 1.0)
    own = centres - common_part * np.outer(centres @ along, along)
    own /= np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-9)
    similar = names @ own.T
    fit = MEANING * similar[:, k]
    if n > 1:
        others = np.delete(similar, k, axis=1).max(axis=1)
        fit += CONTRAST * np.clip(similar[:, k] - others, -0.15, 0.08)
    return np.asarray(fit - REPEATING * common_part * np.maximum(names @ along - QUESTION, 0.0))


_KNOWN: WeakKeyDictionary[Embedder, Vectors] = WeakKeyDictionary()


def _vectors(names: Sequence[str], embedder: Embedder) -> Vectors:
    """The topics' names are embedded once a process, always together: the same vectors whoever asks first."""
    if embedder not in _KNOWN:
        _KNOWN[embedder] = embedder.embed([topic.name for topic in TOPICS])
    known = _KNOWN[embedder]
    found = np.zeros((len(names), known.shape[1]), dtype=np.float32)
    new = [place for place, name in enumerate(names) if name not in PLACES]
    if new:
        found[new] = embedder.embed([names[place] for place in new])
    for place, name in enumerate(names):
        if name in PLACES:
            found[place] = known[PLACES[name]]
    return found


def _lacking(option: Candidate) -> float:
    """What a name loses that few say, that the whole survey says, or that is a single word of no known topic."""
    lost = RARE * max(0.0, 1 - option.share / SAID_OFTEN) + TOO_COMMON * max(0.0, option.elsewhere - COMMON)
    return lost + BARE * option.bare


def different(ranked: Sequence[tuple[float, Candidate]], n: int) -> list[Candidate]:
    """The first n whose words are not just another's."""
    chosen: list[Candidate] = []
    for _, option in ranked:
        if all(identity(option.text) != identity(other.text) for other in chosen):
            chosen.append(option)
        if len(chosen) == n:
            break
    return chosen
