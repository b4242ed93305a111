"""What moved between two waves."""

import pytest

from holdfast.codeframe import drift


def test_a_share_that_doubled_in_many_answers_is_told_from_one_that_did_in_few() -> None:
    many = drift([(1,)] * 100 + [(2,)] * 900, [(1,)] * 200 + [(2,)] * 800)
    few = drift([(1,)] * 1 + [(2,)] * 9, [(1,)] * 2 + [(2,)] * 8)

    assert [(each.number, each.then, each.now) for each in many] == [(1, 0.1, 0.2), (2, 0.9, 0.8)]
    assert many[0].p < 0.001
    assert few[0].p > 0.5


def test_p_is_that_of_two_proportions_times_what_is_still_tested() -> None:
    # 30 and 45 of 100: z = 0.15 / sqrt(0.375 * 0.625 * 0.02) = 2.191, two-sided p = 0.0285; two codes are tested.
    found = drift([(1,)] * 30 + [(2,)] * 70, [(1,)] * 45 + [(2,)] * 55)

    assert found[0].p == pytest.approx(2 * 0.02846, abs=1e-4)


def test_a_code_counts_once_an_answer_and_may_be_new_or_gone() -> None:
    found = drift([(1, 1), (2,)], [(3,), (2,)])

    assert [(each.number, each.then, each.now) for each in found] == [(1, 0.5, 0.0), (2, 0.5, 0.5), (3, 0.0, 0.5)]


def test_empty_waves_have_moved_nowhere() -> None:
    assert [each.p for each in drift([], [(1,)])] == [1.0]
