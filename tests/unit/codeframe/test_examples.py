"""Learning from confirmed examples, on vectors made for it."""

import numpy as np
import pytest

from holdfast.codeframe import Example, Learned, Vectors, learn
from holdfast.codeframe.probe import shifted, temperature, train

K, WIDTH, EACH = 4, 24, 40


def unit(vectors: np.ndarray) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
def answers() -> tuple[Vectors, np.ndarray, Vectors]:
    """Vectors around a centre for each code, the code of each, and names that point only half the way there."""
    dice = np.random.default_rng(3)
    centres = unit(dice.normal(size=(K, WIDTH)))
    truth = np.repeat(np.arange(K), EACH)
    vectors = unit(centres[truth] + 0.22 * dice.normal(size=(K * EACH, WIDTH)))
    return vectors, truth, unit(centres + 0.35 * dice.normal(size=(K, WIDTH)))


def confirmed(truth: np.ndarray, each: int) -> list[Example]:
    rows = [row for code in range(K) for row in np.flatnonzero(truth == code)[:each]]
    return [Example(row=int(row), codes=(int(truth[row]),)) for row in rows]


def accuracy(found: Learned, truth: np.ndarray) -> float:
    return float((found.best == truth).mean())


def test_examples_make_the_coding_better_than_wrong_names(answers: tuple[Vectors, np.ndarray, Vectors]) -> None:
    vectors, truth, names = answers
    misleading = names[[1, 0, 2, 3]]

    alone, taught = (learn(vectors, misleading, confirmed(truth, each)) for each in (0, 10))

    assert accuracy(alone, truth) < 0.7
    assert accuracy(taught, truth) > 0.95


def test_the_order_of_rows_and_examples_does_not_matter(answers: tuple[Vectors, np.ndarray, Vectors]) -> None:
    vectors, truth, names = answers
    examples = confirmed(truth, 6)
    order = np.random.default_rng(1).permutation(len(vectors))
    place = np.argsort(order)

    first = learn(vectors, names, examples)
    moved = [Example(row=int(place[e.row]), codes=e.codes) for e in reversed(examples)]
    second = learn(vectors[order], names, moved)

    assert second.codes == tuple(first.codes[row] for row in order)
    assert np.array_equal(second.best, first.best[order])
    assert second.thresholds == first.thresholds


def test_a_confirmed_answer_keeps_what_was_confirmed(answers: tuple[Vectors, np.ndarray, Vectors]) -> None:
    vectors, truth, names = answers
    examples = [*confirmed(truth, 3)[1:], Example(row=0, codes=(3, 1)), Example(row=1, codes=())]

    found = learn(vectors, names, examples)

    assert (found.codes[0], found.codes[1]) == ((3, 1), ())


def test_answers_far_from_every_code_are_other_and_others_are_few(
    answers: tuple[Vectors, np.ndarray, Vectors],
) -> None:
    vectors, truth, names = answers
    strange = unit(-vectors[:30].mean(axis=0) + 0.5 * np.random.default_rng(5).normal(size=(30, WIDTH)))

    found = learn(np.concatenate([vectors, strange]), names, confirmed(truth, 10))

    others = np.array([not codes for codes in found.codes])
    assert others[len(vectors) :].mean() > 0.8
    assert others[: len(vectors)].mean() < 0.15


def test_second_codes_are_given_only_where_examples_have_them(answers: tuple[Vectors, np.ndarray, Vectors]) -> None:
    vectors, truth, names = answers
    both = unit(vectors[truth == 0] + vectors[truth == 1])
    together = np.concatenate([vectors, both])
    single = confirmed(truth, 10)
    double = [Example(row=len(vectors) + n, codes=(0, 1)) for n in range(15)]

    taught_one, taught_two = learn(vectors, names, single), learn(together, names, [*single, *double])

    assert max(map(len, taught_one.codes)) == 1
    of_both = np.mean([set(codes) == {0, 1} for codes in taught_two.codes[len(vectors) + 15 :]])
    of_one = np.mean([len(codes) > 1 for codes in taught_two.codes[: len(vectors)]])
    assert of_both > 0.3
    assert of_one < of_both / 3


def test_without_an_example_the_probe_is_its_prior() -> None:
    names = np.eye(3, dtype=np.float32)

    assert np.array_equal(train(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), names).weights, names)


def test_a_temperature_cools_those_that_are_too_sure() -> None:
    targets = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]
    scores = np.tile([9.0, 0.0], (4, 1))  # sure of 0, and right three times in four

    assert temperature(scores, targets) == pytest.approx(8.0)  # as far as it goes: 9 / ln 3 is 8.2
    assert temperature(scores / 9 * np.log(3), targets) == pytest.approx(1.0, rel=0.1)


def test_codes_that_are_frequent_among_the_answers_are_made_more_likely() -> None:
    scores = np.repeat([[2.0, 0.0], [0.0, 2.0]], [90, 10], axis=0)

    found = shifted(scores, np.array([0.5, 0.5]), np.ones(100))

    assert found[0] > 0 > found[1]
