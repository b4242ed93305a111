"""Vectors made for tests: a cloud around a centre for each code."""

from collections.abc import Sequence

import numpy as np

from holdfast.codeframe import Vectors

WIDTH = 24

Survey = tuple[Vectors, np.ndarray, Vectors]  # answers, the code of each, the codes' names


def unit(vectors: np.ndarray) -> Vectors:
    """The rows, each of length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def clouds(sizes: Sequence[int], *, spread: float, vague: float, seed: int) -> Survey:
    """So many answers of each code, `spread` around its centre, and names that lie `vague` off it."""
    dice = np.random.default_rng(seed)
    centres = unit(dice.normal(size=(len(sizes), WIDTH)))
    truth = np.repeat(np.arange(len(sizes)), sizes)
    vectors = unit(centres[truth] + spread * dice.normal(size=(len(truth), WIDTH)))
    return vectors, truth, unit(centres + vague * dice.normal(size=(len(sizes), WIDTH)))
