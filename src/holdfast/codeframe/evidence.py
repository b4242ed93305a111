"""Which answers say what, and in which clusters: phrases by their words in any order, topics by their word groups."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.topics import PLACES, THEMES, TOPICS, hits, topics_of
from holdfast.codeframe.values import Floats, Ints, Phrase
from holdfast.codeframe.words import STOPS, TURNS, root

READ = 900  # characters of an answer that are read
SEVERAL_WORDS = 0.15  # share of the answers about a topic that say another word of it than most do
_WORD = re.compile("[^\\W_]+(?:['\u2019\\-][^\\W_]+)*")


def words_of(text: str) -> list[str]:
    """The words of an answer, in lower case."""
    return [word.replace("\u2019", "'") for word in _WORD.findall(TURNS.sub(" ", text[:READ]).lower())]


def roots_of(text: str) -> frozenset[str]:
    """The words that carry a text's meaning, whatever their form."""
    return frozenset(map(_root, words_of(text))) - {""}


def readings(name: str) -> list[frozenset[str]]:
    """What a name can be shown by: "friendly and helpful staff" by "friendly staff" as well as by "helpful staff"."""
    left, _, right = name.partition(" and ")
    if not right:
        return [roots_of(name)]
    shared = right.split()[1:]
    return [roots_of(" ".join([left, *shared])), roots_of(right)]


@lru_cache(maxsize=200_000)
def _root(word: str) -> str:
    return "" if word in STOPS and word not in {"no", "not"} else root(word)


class Evidence:
    """An index of sampled answers. Shares are of the answers (rows), cluster by cluster."""

    def __init__(self, texts: Sequence[str], weights: Ints, owners: Ints, n_clusters: int) -> None:
        self._weights = weights.astype(np.float64)
        self._owners = owners
        self.answers: Floats = np.bincount(owners, weights=self._weights, minlength=n_clusters).astype(np.float64)
        roots: dict[str, list[int]] = defaultdict(list)
        topics: dict[int, list[int]] = defaultdict(list)
        self._hits: dict[int, list[frozenset[str]]] = defaultdict(list)
        for place, text in enumerate(texts):
            words = words_of(text)
            for word in {_root(word) for word in words}:
                roots[word].append(place)
            for topic in topics_of(text[:READ], words):
                topics[topic].append(place)
                self._hits[topic].append(hits(TOPICS[topic], words))
        self._roots = {word: np.array(found, dtype=np.intp) for word, found in roots.items()}
        self._topics = {topic: np.array(found, dtype=np.intp) for topic, found in topics.items()}
        self._nobody = np.zeros(0, dtype=np.intp)

    def saying(self, phrase: str) -> npt.NDArray[np.intp]:
        """The answers that have every word of the phrase, or of one half of a pair."""
        halves = [self._having(words) for words in readings(phrase)]
        return halves[0] if len(halves) == 1 else np.union1d(*halves)

    def _having(self, words: frozenset[str]) -> npt.NDArray[np.intp]:
        found: npt.NDArray[np.intp] | None = None
        for word in sorted(words):
            own = self._roots.get(word, self._nobody)
            found = own if found is None else np.intersect1d(found, own, assume_unique=True)
        return self._nobody if found is None else found

    def about(self, topic: int) -> npt.NDArray[np.intp]:
        """The answers that are about TOPICS[topic]."""
        return self._topics.get(topic, self._nobody)

    def under(self, theme: str) -> npt.NDArray[np.intp]:
        """The answers that are about any topic of the theme that the survey really is about."""
        places = [place for place, topic in enumerate(TOPICS) if topic.theme == theme and self.is_meant(place)]
        return np.unique(np.concatenate([self._nobody, *map(self.about, places)]))

    def is_meant(self, topic: int, k: int | None = None) -> bool:
        """Whether several of the topic's words are said, in cluster k or by all, or the one that is its name.

        "Server" alone may be a waiter, and "peace" alone is that of the mind: no war.
        """
        if len(TOPICS[topic].groups) != 1:
            return True
        said = [words for place, words in zip(self.about(topic), self._hits[topic], strict=True) if self._of(place, k)]
        counts = Counter(word for words in said for word in words)
        if not counts:
            return True  # two words side by side show it
        most = min(counts, key=lambda word: (-counts[word], word))
        name = roots_of(TOPICS[topic].name)
        others = sum(bool(words - {most}) for words in said)
        return others >= SEVERAL_WORDS * len(said) or (most in name and " and " not in TOPICS[topic].name)

    def _of(self, place: int, k: int | None) -> bool:
        return k is None or self._owners[place] == k

    @cached_property
    def topic_shares(self) -> list[Floats]:
        """Of each topic, in the order of TOPICS: the share of each cluster's answers that are about it."""
        return [self.shares(self.about(place)) for place in range(len(TOPICS))]

    @cached_property
    def theme_shares(self) -> list[Floats]:
        """The same of each theme, in the order of THEMES."""
        return [self.shares(self.under(theme)) for theme in THEMES]

    def speaking(self, phrase: Phrase) -> npt.NDArray[np.intp]:
        """The answers that say the phrase, or are about the topic."""
        return self.about(PLACES[phrase.text]) if phrase.kind == "topic" else self.saying(phrase.text)

    def shares(self, rows: npt.NDArray[np.intp]) -> Floats:
        """Their share of each cluster's answers."""
        mass = np.bincount(self._owners[rows], weights=self._weights[rows], minlength=len(self.answers))
        return np.asarray(mass / np.maximum(self.answers, 1e-9))

    def elsewhere(self, shares: Floats, k: int) -> float:
        """The share over all other clusters."""
        rest = self.answers.sum() - self.answers[k]
        return float((shares @ self.answers - shares[k] * self.answers[k]) / rest) if rest > 0 else 0.0
