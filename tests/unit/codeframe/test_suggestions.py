"""Which answers to confirm next, on vectors made for it."""

import numpy as np
import pytest
from tests.unit.codeframe.clouds import WIDTH, Survey, clouds, unit

from holdfast.codeframe import Example, Learned, learn, suggest
from holdfast.codeframe.suggestions import doubt

K = 6
SIZES = (120, 60, 30, 15, 8, 5)  # answers of each code: chance finds the last ones seldom


@pytest.fixture
def survey() -> Survey:
    """Codes of very different sizes, with names that say little."""
    return clouds(SIZES, spread=0.2, vague=0.8, seed=5)


def taught(survey: Survey, rows: np.ndarray) -> Learned:
    vectors, truth, names = survey
    return learn(vectors, names, [Example(row=int(row), codes=(int(truth[row]),)) for row in rows])


def test_suggested_examples_teach_more_than_as_many_by_chance(survey: Survey) -> None:
    vectors, truth, _ = survey
    n = 2 * K

    asked = suggest(vectors, taught(survey, np.arange(0)).probabilities, n=n)

    by_chance = [np.random.default_rng(seed).permutation(len(truth))[:n] for seed in range(3)]
    right = [np.mean(taught(survey, rows).best == truth) for rows in [asked, *by_chance]]
    assert right[0] > np.mean(right[1:])
    assert len(set(truth[asked])) > np.mean([len(set(truth[rows])) for rows in by_chance])


def test_the_order_of_rows_does_not_matter(survey: Survey) -> None:
    vectors, _, _ = survey
    sure = taught(survey, np.arange(0)).probabilities
    weights = np.arange(len(vectors)) % 3 + 1
    order = np.random.default_rng(1).permutation(len(vectors))
    place = np.argsort(order)

    first = suggest(vectors, sure, n=10, confirmed=[3, 70], weights=weights)
    moved = suggest(
        vectors[order], sure[order], n=10, confirmed=[int(place[70]), int(place[3])], weights=weights[order]
    )

    assert order[moved].tolist() == first.tolist()


def test_confirmed_answers_are_not_asked_about_and_their_like_come_last() -> None:
    dice = np.random.default_rng(4)
    groups = np.repeat(np.arange(4), [30, 30, 10, 10])
    vectors = unit(np.eye(WIDTH)[groups] + 0.05 * dice.normal(size=(80, WIDTH)))
    unsure = np.full((80, 2), 0.5, np.float32)

    found = suggest(vectors, unsure, n=2, confirmed=[0, 30])
    every = suggest(vectors, unsure, n=1000, confirmed=[0, 30])

    assert set(groups[found]) == {2, 3}
    assert sorted([*every.tolist(), 0, 30]) == list(range(80))


def test_what_many_rows_say_is_asked_about_first_and_what_none_says_never(
    survey: Survey,
) -> None:
    vectors, truth, _ = survey
    weights = np.where(truth == 4, 500, np.where(truth == 0, 0, 1))

    unsure = np.full((len(vectors), 2), 0.5, np.float32)

    found = suggest(vectors, unsure, n=8, weights=weights)
    every = suggest(vectors, unsure, n=1000, weights=weights)

    assert truth[found[0]] == 4
    assert set(truth[every]) == {1, 2, 3, 4, 5}


def test_doubtful_answers_are_asked_about_once_there_are_examples(
    survey: Survey,
) -> None:
    vectors, truth, _ = survey
    sure = np.tile(np.array([[0.98, 0.02]], np.float32), (len(vectors), 1))
    sure[truth == 1] = 0.5

    found = suggest(vectors, sure, n=10, confirmed=np.flatnonzero(truth == 0)[:30].tolist())

    assert np.mean(truth[found] == 1) > 0.8


def test_every_code_comes_once_before_any_comes_twice() -> None:
    vectors = unit(np.random.default_rng(2).normal(size=(90, WIDTH)))
    probabilities = np.eye(3, dtype=np.float32)[np.repeat([0, 1, 2], [80, 6, 4])]

    found = suggest(vectors, probabilities, n=30)

    codes = probabilities.argmax(axis=1)[found].tolist()
    assert set(codes[:3]) == {0, 1, 2}


def test_doubt_is_the_nearness_of_the_two_best() -> None:
    assert doubt(np.array([[0.5, 0.5, 0], [0.1, 0.8, 0.1]], np.float32)) == pytest.approx([1.0, 0.3])
    assert doubt(np.ones((2, 1), np.float32)).tolist() == [0, 0]


def test_of_no_answers_none_is_suggested() -> None:
    assert suggest(np.zeros((0, 4), np.float32), np.zeros((0, 2), np.float32), n=5).tolist() == []
