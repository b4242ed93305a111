"""The map of the answers: groups that can be seen, the same for shuffled rows."""

import numpy as np
import pytest

from holdfast.codeframe import project, sample_answers
from holdfast.codeframe.projection import Projection
from holdfast.codeframe.values import Ints, Vectors

THEMES = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def answers(*, each: int = 30, seed: int = 0) -> tuple[Vectors, Ints, Ints]:
    """Unit vectors of twelve codes in four themes: codes of one theme are near each other."""
    random = np.random.default_rng(seed)
    themes = random.normal(size=(4, 64))
    centres = themes[THEMES] + 0.5 * random.normal(size=(12, 64))
    codes = np.repeat(np.arange(12, dtype=np.int32), each)
    vectors = centres[codes] + 0.7 * random.normal(size=(len(codes), 64))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), codes, random.integers(1, 4, len(codes)).astype(np.int32)


def distances(places: np.ndarray) -> np.ndarray:
    return np.linalg.norm(places[:, None] - places, axis=2)


def centroids(vectors: Vectors, codes: Ints) -> np.ndarray:
    means = np.array([vectors[codes == code].mean(axis=0) for code in range(12)])
    return means / np.linalg.norm(means, axis=1, keepdims=True)


def test_shuffled_rows_get_the_same_places_to_the_last_bit() -> None:
    vectors, codes, weights = answers()
    order = np.random.default_rng(5).permutation(len(codes))

    found = project(vectors, codes, weights, THEMES)
    again = project(vectors[order], codes[order], weights[order], THEMES)

    assert np.array_equal(again.points, found.points[order])
    assert np.array_equal(again.centres, found.centres)


def test_every_answer_lies_in_its_code_s_disc_and_no_two_discs_touch() -> None:
    vectors, codes, weights = answers()

    found = project(vectors, codes, weights, THEMES, aspect=1.5)

    assert np.all(np.linalg.norm(found.points - found.centres[codes], axis=1) <= found.radii[codes] + 1e-9)
    apart = distances(found.centres) - (found.radii[:, None] + found.radii)
    assert apart[~np.eye(12, dtype=bool)].min() > 0.1 * found.radii.mean()
    assert np.all(found.points >= 0)
    assert np.all(found.points <= [1.5, 1])


def test_discs_of_very_different_sizes_do_not_touch_either() -> None:
    random = np.random.default_rng(0)
    codes = np.arange(2400, dtype=np.int32) % 60
    vectors = random.normal(size=(60, 32))[codes] + random.normal(size=(2400, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weights = np.where(codes < 4, 60, 1).astype(np.int32)

    found = project(vectors.astype(np.float32), codes, weights, [code // 8 for code in range(60)])

    apart = distances(found.centres) - (found.radii[:, None] + found.radii)
    assert apart[~np.eye(60, dtype=bool)].min() > 0


def test_codes_of_one_theme_lie_together_and_like_codes_near_each_other() -> None:
    vectors, codes, weights = answers()

    found = project(vectors, codes, weights, THEMES)

    on_map = distances(found.centres) + 9 * np.eye(12)
    assert [THEMES[code] for code in on_map.argmin(axis=1)] == THEMES
    pairs = np.triu_indices(12, k=1)
    means = centroids(vectors, codes)
    assert np.corrcoef(on_map[pairs], distances(means)[pairs])[0, 1] > 0.6


def test_the_most_typical_answers_are_in_the_middle_and_a_heavier_code_is_larger() -> None:
    vectors, codes, weights = answers()
    weights[codes == 4] *= 20

    found = project(vectors, codes, weights, THEMES)

    assert found.radii.argmax() == 4
    own = codes == 7
    typical = vectors[own] @ np.average(vectors[own], axis=0, weights=weights[own])
    outwards = np.linalg.norm(found.points[own] - found.centres[7], axis=1)
    assert np.corrcoef(typical, outwards)[0, 1] < -0.9


@pytest.mark.parametrize("n_codes", [1, 2, 3])
def test_few_codes_and_answers_of_one_meaning_have_places_too(n_codes: int) -> None:
    codes = np.array([n % n_codes for n in range(20)], dtype=np.int32)
    same = np.zeros((20, 8), dtype=np.float32)
    same[:, 0] = 1

    found = project(same, codes, np.ones(20, dtype=np.int32), list(range(n_codes)))

    assert np.isfinite(found.points).all()
    assert len(np.unique(found.points.round(6), axis=0)) == 20
    apart = distances(found.centres) - (found.radii[:, None] + found.radii)
    assert (apart[~np.eye(n_codes, dtype=bool)] > 0).all()


def test_a_code_without_an_answer_on_the_map_has_no_disc() -> None:
    vectors, codes, weights = answers()
    kept = codes != 3

    found = project(vectors[kept], codes[kept], weights[kept], THEMES)

    assert found.radii[3] == 0
    assert np.isfinite(found.points).all()


def test_no_answers_make_an_empty_map() -> None:
    found = project(np.zeros((0, 4), dtype=np.float32), *[np.zeros(0, dtype=np.int32)] * 2, [0])

    assert isinstance(found, Projection)
    assert len(found.points) == 0


def test_a_sample_has_every_code_in_its_share_and_is_the_same_each_time() -> None:
    codes = np.repeat(np.arange(3, dtype=np.int32), [9000, 990, 10])

    drawn = sample_answers(codes, most=1000, seed=1)

    assert np.array_equal(drawn, sample_answers(codes, most=1000, seed=1))
    assert not np.array_equal(drawn, sample_answers(codes, most=1000, seed=2))
    assert len(drawn) == len(set(drawn.tolist())) == 1000
    assert (np.diff(drawn) > 0).all()
    counts = np.bincount(codes[drawn])
    assert abs(counts[0] - 900) <= 4
    assert abs(counts[1] - 99) <= 4
    assert counts[2] >= 1
    assert np.array_equal(sample_answers(codes[:50], most=1000, seed=1), np.arange(50))
