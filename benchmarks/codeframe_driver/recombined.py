"""As many answers as wanted, out of real ones: the first half of one with the second half of another, all different."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np

LEAST = 4  # words an answer has that is worth halving
DRAWN = 4096  # pairs at a time


def halves(file: Path) -> tuple[list[str], list[str]]:
    """The two halves of every answer of a CSV file that has enough words."""
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8", newline="") as lines:
        answers = [(row.get("answer") or row.get("text") or "").split() for row in csv.DictReader(lines)]
    answers = [words for words in answers if len(words) >= LEAST]
    return (
        [" ".join(words[: len(words) // 2]) for words in answers],
        [" ".join(words[len(words) // 2 :]) for words in answers],
    )


def pairs(n: int, n_halves: int, *, seed: int = 0) -> Iterator[tuple[int, int]]:
    """Different pairs of a first and a second half, the same for the same seed."""
    if n > n_halves**2 // 2:
        raise ValueError(f"{n_halves} answers give too few pairs for {n} of them; name a larger file")
    random = np.random.default_rng(seed)
    seen: set[tuple[int, int]] = set()
    while len(seen) < n:
        for a, b in random.integers(0, n_halves, size=(DRAWN, 2)).tolist():
            if (a, b) not in seen and len(seen) < n:
                seen.add((a, b))
                yield a, b


def write(source: Path, target: Path, n: int, *, seed: int = 0) -> None:
    """A CSV file of n recombined answers, under the heading `text`."""
    first, second = halves(source)
    told: set[str] = set()
    with target.open("w", encoding="utf-8", newline="") as lines:
        out = csv.writer(lines)
        out.writerow(["text"])
        for a, b in pairs(n + n // 10, len(first), seed=seed):
            text = f"{first[a]} {second[b]}"
            if text not in told and len(told) < n:
                told.add(text)
                out.writerow([text])
    if len(told) < n:
        raise ValueError(f"{source.name} gives only {len(told)} different answers; name a larger file")
