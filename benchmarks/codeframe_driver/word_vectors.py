"""Vectors made of words alone, thousands of times cheaper than a model's: what the stages after them cost at a million.

Each word has a random direction, an answer is the sum of its words'. Answers that share words are near each other, so
there is something to cluster; nothing is known of meaning, and no figure of quality may come from it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

WORDS = 2**15


class WordVectors:
    """An Embedder for codeframe_scale.py only."""

    name = "words"
    dim = 384
    whole_corpus = False

    def __init__(self) -> None:
        self._directions = np.random.default_rng(0).standard_normal((WORDS, self.dim), dtype=np.float32)
        self._counter = HashingVectorizer(n_features=WORDS, dtype=np.float32, norm=None, alternate_sign=False)

    def embed(self, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None) -> Any:
        """Unit rows; a text without a word is a zero row."""
        del progress
        vectors = self._counter.transform(texts) @ self._directions
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
