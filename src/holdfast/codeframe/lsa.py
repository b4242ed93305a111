"""Latent semantic analysis: TF-IDF of words, and of letters, reduced to a few columns; it knows no synonyms."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from holdfast.codeframe.values import Vectors

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

MOST_TERMS = 50_000  # of words, and as many of letters
OFTEN = 100  # texts from which on a term must be in two of them

# Scripts that put no space between words: Thai, Lao, Burmese, Khmer, kana and Chinese characters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)


class Lsa:
    """Learned from some texts; reads these and others."""

    def __init__(self, texts: Sequence[str], *, width: int, letters: bool = True) -> None:
        """At most `width` columns, none if no text has a word; letters take three times as long as words alone."""
        from scipy.sparse import hstack  # noqa: PLC0415 - slow to import
        from sklearn.decomposition import TruncatedSVD  # noqa: PLC0415

        self.width = 0
        self._counters, counted = [], []
        for analyzer, ngrams in (("word", (1, 2)), ("char_wb", (3, 5)))[: 1 + letters]:
            counter = _counter(analyzer, ngrams, len(texts))
            try:
                counted.append(counter.fit_transform(list(texts)))
            except ValueError:  # an empty vocabulary: no text has a word, or each has words of its own
                continue
            self._counters.append(counter)
        if counted:
            joined = hstack(counted).tocsr()
            self.width = max(min(width, min(joined.shape) - 1), 0)
        if self.width:
            self._reduced = TruncatedSVD(self.width, random_state=0).fit(joined)

    def read(self, texts: Sequence[str]) -> Vectors:
        """Unit rows (texts, width); a text without any known word is a zero row."""
        if not self.width or not texts:
            return np.zeros((len(texts), self.width), dtype=np.float32)
        from scipy.sparse import hstack  # noqa: PLC0415

        counted = hstack([counter.transform(list(texts)) for counter in self._counters]).tocsr()
        vectors = self._reduced.transform(counted).astype(np.float32)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(norms, 1e-9), dtype=np.float32)


def _counter(analyzer: str, ngrams: tuple[int, int], n_texts: int) -> "TfidfVectorizer":
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415

    return TfidfVectorizer(
        analyzer=analyzer,
        ngram_range=ngrams,
        min_df=2 if n_texts >= OFTEN else 1,
        max_features=MOST_TERMS,
        sublinear_tf=True,
        dtype=np.float32,
        token_pattern=r"(?u)\b\w+\b" if analyzer == "word" else None,
        preprocessor=_spaced,
    )


def _spaced(text: str) -> str:
    """In small letters; of a script without spaces each two letters as a word, as search engines read it."""
    return _UNSPACED.sub(_in_pairs, text.lower())


def _in_pairs(run: re.Match[str]) -> str:
    letters = run.group()
    return f" {' '.join(letters[n : n + 2] for n in range(max(1, len(letters) - 1)))} "
