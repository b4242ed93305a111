"""How many codes a usual codeframe has: more for more answers, fewer where all answer one narrow question."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from holdfast.codeframe.evidence import roots_of

MOST_CODES = 56
HALF, HALF_OF_ONE_TOPIC = 600, 1100  # different answers that show half of them
# The chance that two answers share a word: "what could be better?" has up to 0.3, "should we ban X?" 0.6 and more.
BROAD, ONE_TOPIC = 0.35, 0.55
READ = 2000  # texts whose words are counted
MOST_AUTOMATIC = 250
USUAL = 20.0  # where the answers are not known


def usual_codes(texts: Sequence[str]) -> float:
    """For these different answers, by how many they are and how narrowly they were asked for.

    Measured on surveys whose codes are known, of 25 to 11,000 answers (benchmarks/README.md).
    """
    n = len(texts)
    narrow = float(np.clip((_sharing(texts) - BROAD) / (ONE_TOPIC - BROAD), 0.0, 1.0))
    half = HALF ** (1 - narrow) * HALF_OF_ONE_TOPIC**narrow
    return float(MOST_CODES * n / (n + half))


def likely_clusters(texts: Sequence[str]) -> tuple[int, int]:
    """Between which numbers of clusters an estimate most likely ends for these different answers."""
    usual = usual_codes(texts)
    least = max(2, round(usual * 0.6))
    return least, max(least, min(round(usual * 2), len(texts) // 4, MOST_AUTOMATIC))


def _sharing(texts: Sequence[str]) -> float:
    """The chance that two of the answers share a word that carries meaning."""
    read = texts[:: -(-len(texts) // READ)] if texts else ()
    said = Counter(word for text in read for word in roots_of(text))
    shares = np.array([*said.values(), 0.0]) / max(len(read), 1)
    return float(1 - np.prod(1 - shares**2))
