"""Latent semantic analysis: TF-IDF of words, and of letters, reduced to a few columns; it knows no synonyms."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from holdfast.codeframe.values import Vectors

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

MOST_TERMS = 50_000  # of words, and as many of letters
OFTEN = 100  # texts from which on a term must be in two of them


class Lsa:
    """Learned from some texts; reads these and others."""

    def __init__(self, texts: Sequence[str], *, width: int, letters: bool = True) -> None:
        """At most `width` columns, none if no text has a word; letters take three times as long as words alone."""
        from sklearn.decomposition import TruncatedSVD  # noqa: PLC0415 - slow to import
        from sklearn.pipeline import make_union  # noqa: PLC0415

        self.width = 0
        counters = [_counter("word", (1, 2), len(texts))]
        if letters:
            counters.append(_counter("char_wb", (3, 5), len(texts)))
        self._counts = make_union(*counters)
        try:
            counted = self._counts.fit_transform(list(texts))
        except ValueError:  # an empty vocabulary: no text has a word
            return
        self.width = max(min(width, min(counted.shape) - 1), 0)
        if self.width:
            self._reduced = TruncatedSVD(self.width, random_state=0).fit(counted)

    def read(self, texts: Sequence[str]) -> Vectors:
        """Unit rows (texts, width); a text without any known word is a zero row."""
        if not self.width or not texts:
            return np.zeros((len(texts), self.width), dtype=np.float32)
        vectors = self._reduced.transform(self._counts.transform(list(texts))).astype(np.float32)
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
    )
