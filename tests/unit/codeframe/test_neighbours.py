"""The nearest neighbours are those that a full sort finds."""

import numpy as np
import pytest

from holdfast.codeframe.neighbours import STACK, nearest


@pytest.mark.parametrize("n", [12, 3 * STACK * 10, 4 * STACK * 10, 4 * STACK * 10 + STACK - 1, 1500])
def test_the_nearest_are_those_of_a_full_sort(n: int) -> None:
    vectors = np.random.default_rng(n).standard_normal((n, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -np.inf)
    expected = np.take_along_axis(similar, np.argsort(-similar, axis=1, kind="stable")[:, :10], axis=1)

    found = np.take_along_axis(similar, nearest(vectors, 10), axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-6)
