"""What answers are grouped by: their meaning, and beside it the words themselves.

A sentence encoder puts "app" near "website" but knows no names; counted words do. Together they group nearer to people
than either does (benchmarks/README.md).
"""

from collections.abc import Sequence

import numpy as np

from holdfast.codeframe.lsa import Lsa
from holdfast.codeframe.values import Vectors

COLUMNS, LENGTH = 100, 0.4  # of the counted words, beside a meaning of length 1
FITTED = 20_000  # texts that the words are learned from
BLOCK = 8192  # texts at a time
WIDTH = 128  # columns that are kept: as good as all of them, and neighbours are found in a third of the time


def worded(vectors: Vectors, texts: Sequence[str]) -> Vectors:
    """Unit rows (n, WIDTH or fewer) of the texts' vectors and words; the same for the same texts in the same order."""
    step = max(1, -(-len(texts) // FITTED))
    part = texts[::step]
    words = Lsa(part, width=COLUMNS, letters=False)  # letters beside a meaning were measured: no gain
    sample = _joined(vectors[::step], words.read(part))
    axes = _axes(sample)
    found = np.empty((len(texts), axes.shape[1]), dtype=np.float32)
    for start in range(0, len(texts), BLOCK):
        rows = slice(start, start + BLOCK)
        turned = _joined(vectors[rows], words.read(texts[rows])) @ axes
        found[rows] = turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9)
    return found


def _joined(vectors: Vectors, words: Vectors) -> Vectors:
    return np.hstack([vectors, np.float32(LENGTH) * words])


def _axes(sample: Vectors) -> Vectors:
    """The directions (columns) that hold most of the sample's length, as unit vectors."""
    spread = sample.T.astype(np.float64) @ sample
    return np.ascontiguousarray(np.linalg.eigh(spread)[1][:, -WIDTH:], dtype=np.float32)
