"""Learning from confirmed examples, on vectors made for it."""

import numpy as np
import pytest
from tests.unit.codeframe.clouds import WIDTH, Survey, clouds, unit

from holdfast.codeframe import Example, Learned, Thresholds, examples, learn
from holdfast.codeframe.probe import PENALTY, shifted, softmax, temperature, train

K, EACH = 4, 40


@pytest.fixture
def answers() -> Survey:
    """As many answers of each code, and names that point only half the way there."""
    return clouds([EACH] * K, spread=0.22, vague=0.35, seed=3)


def confirmed(truth: np.ndarray, each: int) -> list[Example]:
    rows = [row for code in range(K) for row in np.flatnonzero(truth == code)[:each]]
    return [Example(row=int(row), codes=(int(truth[row]),)) for row in rows]


def accuracy(found: Learned, truth: np.ndarray) -> float:
    return float((found.best == truth).mean())


def test_examples_make_the_coding_better_than_wrong_names(answers: Survey) -> None:
    vectors, truth, names = answers
    misleading = names[[1, 0, 2, 3]]

    alone, taught = (learn(vectors, misleading, confirmed(truth, each)) for each in (0, 10))

    assert accuracy(alone, truth) < 0.7
    assert accuracy(taught, truth) > 0.95


def test_the_order_of_rows_and_examples_does_not_matter(answers: Survey) -> None:
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


def test_a_confirmed_answer_keeps_what_was_confirmed(answers: Survey) -> None:
    vectors, truth, names = answers
    examples = [*confirmed(truth, 3)[1:], Example(row=0, codes=(3, 1)), Example(row=1, codes=())]

    found = learn(vectors, names, examples)

    assert (found.codes[0], found.codes[1]) == ((3, 1), ())


def test_answers_far_from_every_code_are_other_and_others_are_few(
    answers: Survey,
) -> None:
    vectors, truth, names = answers
    strange = unit(-vectors[:30].mean(axis=0) + 0.5 * np.random.default_rng(5).normal(size=(30, WIDTH)))

    found = learn(np.concatenate([vectors, strange]), names, confirmed(truth, 10))

    others = np.array([not codes for codes in found.codes])
    assert others[len(vectors) :].mean() > 0.8
    assert others[: len(vectors)].mean() < 0.15


def test_second_codes_are_given_only_where_examples_have_them(answers: Survey) -> None:
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


def test_unsure_second_codes_are_not_given_to_raise_f1_though_each_second_guess_would_hit_at_times() -> None:
    given = [(row % 2,) for row in range(40)]  # one code each
    unsure = np.tile([0.5, 0.42, 0.08], (40, 1))

    assert examples._further(unsure, given) > 0.9, "two guesses for everybody have the better F1"
    assert examples._further(unsure, [(0, 1)] * 40) < 0.9, "people gave two themselves"


def test_an_answer_has_at_most_three_codes_however_many_are_probable() -> None:
    vectors = unit(np.tile(np.ones(WIDTH), (30, 1)) + 0.01 * np.random.default_rng(2).normal(size=(30, WIDTH)))
    names = unit(np.ones((6, WIDTH)) + 0.01 * np.random.default_rng(3).normal(size=(6, WIDTH)))

    found = learn(vectors, names, [], thresholds=Thresholds(floor=0.0, further=0.0, temperature=1.0))

    assert {len(codes) for codes in found.codes} == {3}
    assert all(
        list(codes) == np.argsort(-sure, kind="stable")[:3].tolist()
        for codes, sure in zip(found.codes, found.probabilities, strict=True)
    )


def test_the_lower_a_threshold_the_more_codes_there_are(answers: Survey) -> None:
    vectors, truth, names = answers
    taught = confirmed(truth, 5)

    def given(**changed: float) -> int:
        at = Thresholds(**{"floor": 0.0, "further": 1.0, "temperature": 1.0} | changed)
        return sum(map(len, learn(vectors, names, taught, thresholds=at).codes))

    assert given(floor=0.0) > given(floor=0.7) > given(floor=0.97) >= len(taught)
    assert given(further=0.01) > given(further=0.2) > given(further=1.0) == len(vectors)


def test_thresholds_are_taken_from_held_out_examples(answers: Survey) -> None:
    vectors, truth, names = answers

    few, many = (learn(vectors, names, confirmed(truth, each)).thresholds for each in (4, 20))

    assert few == Thresholds(floor=0.15, further=0.8, temperature=1.0)
    assert many.floor < np.quantile(learn(vectors, names, confirmed(truth, 20)).nearness, 0.25)
    assert many.floor > 0.3
    assert many.temperature < 1  # sure, and right


def test_answers_said_to_be_other_draw_the_line_where_they_begin(
    answers: Survey,
) -> None:
    vectors, truth, names = answers
    strange = unit(vectors[::4] + 0.6 * unit(np.random.default_rng(8).normal(size=(40, WIDTH))))
    everything, known = np.concatenate([vectors, strange]), confirmed(truth, 15)
    other = [Example(row=len(vectors) + n, codes=()) for n in range(20)]

    without, told = (learn(everything, names, [*known, *more]) for more in ([], other))

    assert told.thresholds.floor > without.thresholds.floor
    unsaid = range(len(vectors) + 20, len(everything))
    assert sum(not told.codes[row] for row in unsaid) > sum(not without.codes[row] for row in unsaid)


def test_the_shares_of_codes_are_estimated_from_all_that_is_said(
    answers: Survey,
) -> None:
    vectors, truth, names = answers
    between = unit(vectors[truth == 0] + vectors[truth == 1] + 0.3 * vectors[truth == 2])
    everything = np.concatenate([vectors, between])

    def share_of_0(many: int) -> float:
        weights = np.where(np.append(truth, np.full(EACH, -1)) == many, 50, 1)
        found = learn(everything, names, confirmed(truth, 3), weights=weights)
        return float((found.best[len(vectors) :] == 0).mean())

    assert share_of_0(0) > share_of_0(1)


def test_the_nearest_example_counts_for_codes_that_hold_different_things(
    answers: Survey,
) -> None:
    vectors, truth, names = answers
    at = Thresholds(floor=0.6, further=1.0, temperature=1.0)
    apart = np.where(np.isin(truth, [0, 1, 2]), 0, 1)  # one code of three things

    rows = [row for code in range(K) for row in np.flatnonzero(truth == code)[:4]]
    taught = [Example(row=int(row), codes=(int(apart[row]),)) for row in rows]
    found = learn(vectors, names[2:], taught, thresholds=at)

    assert np.mean([bool(codes) for codes in found.codes]) > 0.9


def test_without_an_example_the_probe_is_its_prior() -> None:
    names = np.eye(3, dtype=np.float32)

    assert np.array_equal(train(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), names).weights, names)


def test_the_probe_stands_where_the_examples_pull_as_hard_as_the_prior_holds(
    answers: Survey,
) -> None:
    vectors, truth, names = answers
    targets, prior = np.eye(K, dtype=np.float32)[truth], 10 * names

    found = train(vectors[:100], targets[:100], prior)

    missed = targets[:100] - softmax(found.scores(vectors[:100]))
    assert np.abs(missed.T @ vectors[:100] - PENALTY * (found.weights - prior)).max() < 0.01
    assert np.abs(missed.sum(axis=0) - PENALTY * found.biases).max() < 0.01
    assert np.linalg.norm(found.weights - prior) > 1


def test_a_temperature_cools_those_that_are_too_sure() -> None:
    targets = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]
    scores = np.tile([9.0, 0.0], (4, 1))  # sure of 0, and right three times in four

    assert temperature(scores, targets) == pytest.approx(8.0)  # as far as it goes: 9 / ln 3 is 8.2
    assert temperature(scores / 9 * np.log(3), targets) == pytest.approx(1.0, rel=0.1)


def test_codes_that_are_frequent_among_the_answers_are_made_more_likely() -> None:
    scores = np.repeat([[2.0, 0.0], [0.0, 2.0]], [90, 10], axis=0)

    found = shifted(scores, np.array([0.5, 0.5]), np.ones(100))

    assert found[0] > 0 > found[1]
