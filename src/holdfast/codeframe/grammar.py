"""What the answers show of their own grammar: what stands after an article names a thing, after "very" a quality.

English names are told by word lists (shapes.py); other languages, and English words that no list knows, by this.
"""

from collections import Counter
from collections.abc import Sequence

from holdfast.codeframe.shapes import ORDER, readable
from holdfast.codeframe.words import (
    ARTICLES,
    GERMANIC,
    INTENSIFIERS,
    LINKS,
    OTHER_LANGUAGES,
    ROMANCE,
    STOPS,
    SUBJECTS,
    is_noun,
)

PROPER = 0.3  # a person's or a place's name does not tell what the answers are about
_SAME_WORD = 4  # letters at its beginning by which the forms of a foreign word are told: "freundlich", "freundliche"


class Grammar:
    """Counts, over all answers, of what stands before each word."""

    def __init__(self) -> None:
        self._things: Counter[str] = Counter()
        self._qualities: Counter[str] = Counter()
        self._acts: Counter[str] = Counter()
        self._capitals: Counter[str] = Counter()
        self._uses: Counter[str] = Counter()
        self._marks: Counter[str] = Counter()  # words of each family of languages

    def read(self, written: Sequence[str]) -> None:
        """A row of words between two stops, as written."""
        before = ""
        for place, form in enumerate(written):
            word = form.lower()
            if word in STOPS:
                self._mark(word)
            else:
                self._place(word, before, capital=place > 0 and form.istitle(), counted=place > 0)
            before = word

    def _mark(self, word: str) -> None:
        family = "germanic" if word in GERMANIC else "romance" if word in ROMANCE else ""
        if family:
            self._marks[family] += 1
        self._marks["foreign" if word in OTHER_LANGUAGES else "english"] += 1

    def _place(self, word: str, before: str, *, capital: bool, counted: bool) -> None:
        self._uses[word] += counted
        self._capitals[word] += capital
        self._things[word] += before in ARTICLES
        self._qualities[word[:_SAME_WORD]] += before in INTENSIFIERS
        self._acts[word] += before in SUBJECTS

    @property
    def is_foreign(self) -> bool:
        """Most of the small words are not English ones."""
        return self._marks["foreign"] > self._marks["english"]

    def fit(self, text: str) -> float:
        """0 (no name at all) to 1 (a good one)."""
        if self.is_foreign:
            return self._foreign_fit(text.split())
        first, *others = text.lower().split()
        if any(map(self._is_act, others)) or (not others and self._is_act(first)):
            return 0.0
        proper = PROPER if any(word.istitle() for word in text.split()) else 1.0
        return readable(text) * proper * (ORDER if self._is_act(first) else 1.0)

    def _is_act(self, word: str) -> bool:
        """ "They miss": a verb that no list knows."""
        return self._acts[word] > 1 and self._things[word] == 0 and is_noun(word)

    def _foreign_fit(self, written: Sequence[str]) -> float:
        words = [word.lower() for word in written if word.lower() not in LINKS | STOPS]
        if not words or len(set(words)) < len(words) or not all(map(self._is_word, words)):
            return 0.0
        head = words[-1] if self._marks["germanic"] > self._marks["romance"] else words[0]
        if not self.is_thing(head):
            return 0.0
        return 1.0 if len(words) > 1 else 0.62

    def _is_word(self, word: str) -> bool:
        return word.isalpha() and (self.is_thing(word) or self._qualities[word[:_SAME_WORD]] > 0)

    def is_thing(self, word: str) -> bool:
        """Seen after an article, or with the capital of a German noun."""
        if self._marks["germanic"] > self._marks["romance"]:  # German alone writes nouns with capitals
            return self._capitals[word] * 2 > max(self._uses[word], 1) or self._things[word] > 1
        return self._things[word] > 0
