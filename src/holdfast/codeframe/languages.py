"""Whether answers are in English: the model of the default embedder was made for nothing else."""

import re
from collections.abc import Sequence

# Words that nearly every English sentence has one of, and that the languages around it do not write so.
_SAID = "the and with very they that this were would could should you your its it been from what when which there their"
ENGLISH = frozenset(f"{_SAID} because about some than then always everything nothing good great how".split())
LEAST_WORDS = 5  # shorter answers may have none of these in English either
LEAST_ANSWERS = 20  # that show their language, below which nothing is said

_WORD = re.compile(r"[^\W\d_]+")
_LAST_LATIN = "\u024f"


def mostly_foreign(texts: Sequence[str]) -> bool:
    """Whether most of the answers are not in English; False also where they are too few or too short to tell."""
    shown = [found for text in texts if (found := _is_english(text)) is not None]
    return len(shown) >= LEAST_ANSWERS and 2 * sum(shown) < len(shown)


def _is_english(text: str) -> bool | None:
    """None for a short answer in Latin letters."""
    words = [word.casefold() for word in _WORD.findall(text)]
    letters = "".join(words)
    if letters and 2 * sum(letter > _LAST_LATIN for letter in letters) > len(letters):
        return False
    return None if len(words) < LEAST_WORDS else not ENGLISH.isdisjoint(words)
