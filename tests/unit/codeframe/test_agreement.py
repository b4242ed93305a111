"""Agreement figures against examples worked out by hand or printed in textbooks."""

import pytest

from holdfast.codeframe.agreement import (
    best_matching,
    code_figures,
    cohen_kappa,
    confusions,
    jaccard,
    krippendorff_alpha,
    masi,
    micro_figures,
)


def sets(*codes: str) -> list[frozenset[str]]:
    """`sets("ab", "")` is an answer with codes a and b, and one without a code."""
    return [frozenset(each) for each in codes]


def test_precision_recall_and_f1_count_every_pair_of_answer_and_code() -> None:
    figures = micro_figures(sets("ab", "a", "", "cd"), sets("a", "b", "c", "cd"))

    assert (figures.n, figures.found, figures.hit) == (5, 5, 3)
    assert figures.precision == figures.recall == figures.f1 == pytest.approx(0.6)


def test_a_code_has_its_own_figures_and_an_unused_one_has_zero() -> None:
    figures = code_figures(sets("a", "a", "ab"), sets("a", "b", "ac"))

    assert (figures["a"].precision, figures["a"].recall) == (pytest.approx(2 / 3), 1.0)
    assert (figures["b"].precision, figures["b"].recall, figures["b"].f1) == (0.0, 0.0, 0.0)
    assert (figures["c"].found, figures["c"].precision, figures["c"].recall) == (0, 0.0, 0.0)


def test_kappa_of_the_grant_proposals_is_0_4() -> None:
    # 50 proposals, two readers: both yes 20, both no 15, only the first 5, only the second 10.
    first = "y" * 20 + "y" * 5 + "n" * 10 + "n" * 15
    second = "y" * 20 + "n" * 5 + "y" * 10 + "n" * 15

    assert cohen_kappa(first, second) == pytest.approx(0.4)


def test_kappa_is_zero_for_chance_one_for_agreement_and_none_where_it_says_nothing() -> None:
    assert cohen_kappa("aabb", "abab") == pytest.approx(0.0)
    assert cohen_kappa("abcd", "abcd") == pytest.approx(1.0)
    assert cohen_kappa("aaaa", "aaaa") is None
    assert cohen_kappa("", "") is None


def test_alpha_of_krippendorff_s_four_observers_with_gaps_is_0_743() -> None:
    # Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), example C: nominal data, missing values.
    observers = (
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    )
    rows = [[None if value == "." else value for value in observer.split()] for observer in observers]

    assert krippendorff_alpha(list(zip(*rows, strict=True))) == pytest.approx(0.743, abs=0.0005)


def test_alpha_of_two_observers_and_binary_data_is_0_095() -> None:
    # The same paper, example A.
    first, second = "0100000010", "1110010000"

    assert krippendorff_alpha(list(zip(first, second, strict=True))) == pytest.approx(0.095, abs=0.0005)


def test_alpha_with_a_general_distance_is_that_of_the_nominal_one_for_single_codes() -> None:
    first, second = sets(*"abcabcaab"), sets(*"abcabbacb")
    units = list(zip(first, second, strict=True))

    assert krippendorff_alpha(units, jaccard) == pytest.approx(krippendorff_alpha(units))
    assert krippendorff_alpha(units, masi) == pytest.approx(krippendorff_alpha(units))


def test_alpha_is_none_without_a_pair_or_with_one_code_only() -> None:
    assert krippendorff_alpha([["a", None], [None, "b"]]) is None
    assert krippendorff_alpha([["a", "a"], ["a", "a"]]) is None


def test_distances_of_sets_punish_what_is_not_shared() -> None:
    a, ab, bc, c = sets("a", "ab", "bc", "c")

    assert jaccard(a, ab) == pytest.approx(1 / 2)
    assert masi(a, ab) == pytest.approx(1 - 1 / 2 * 2 / 3)
    assert masi(ab, bc) == pytest.approx(1 - 1 / 3 * 1 / 3)
    assert masi(a, c) == jaccard(a, c) == 1.0
    assert masi(frozenset(), frozenset()) == jaccard(frozenset(), frozenset()) == 0.0


def test_confusions_name_what_was_given_for_what_the_most_frequent_first() -> None:
    found = confusions(sets("a", "a", "ab", "c"), sets("b", "b", "ac", "d"))

    assert [(pair.ours, pair.theirs, pair.n) for pair in found] == [("a", "b", 2), ("b", "c", 1), ("c", "d", 1)]


def test_matching_pairs_codes_one_to_one_by_what_they_have_in_common() -> None:
    ours, theirs = sets("1", "1", "1", "2", "3"), sets("x", "x", "y", "x", "z")

    assert best_matching(ours, theirs) == {"1": "x", "3": "z"}
    assert best_matching(ours[::-1], theirs[::-1]) == best_matching(ours, theirs)
