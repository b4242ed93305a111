"""Folding, rule codes, and that nothing disappears."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.codeframe import prepare
from holdfast.codeframe.preprocess import normalise
from holdfast.codeframe.rules import RULES

RULE_CASES = [
    ("", "no_answer"),
    (" ... ", "no_answer"),
    ("n/a", "no_answer"),
    ("N.A.", "no_answer"),
    ("Nothing!", "nothing"),
    ("No, nothing really", "nothing"),
    ("can\u2019t think of anything", "nothing"),
    ("no comment", "nothing"),
    ("keine", "nothing"),
    ("Don't know", "dont_know"),
    ("not sure", "dont_know"),
    ("weiß nicht", "dont_know"),
    ("No sé", "dont_know"),
    ("asdfasdf", "unintelligible"),
    ("xkcdfgh", "unintelligible"),
    ("a" * 50_000, "unintelligible"),
    ("👍👍", "symbols"),
    ("10/10", "symbols"),
    ("\x00", "no_answer"),
]

SAYING_SOMETHING = [
    "Nothing was explained to me",
    "No parking",
    "Not sure the food was warm enough",
    "I don't know why the wait was so long",
    "NHS",
    "rhythm",
    "CBT",
    "Nothing to improve, the nurses were lovely",
    "Здравствуйте",
    "非常好",
]


@pytest.mark.parametrize(("text", "rule"), RULE_CASES)
def test_an_answer_that_says_nothing_gets_its_rule_code(text: str, rule: str) -> None:
    prepared = prepare([text])

    assert prepared.rules == (rule,)
    assert prepared.distinct == ()
    assert prepared.rule_counts == {rule: 1}


@pytest.mark.parametrize("text", SAYING_SOMETHING)
def test_an_answer_that_says_something_is_read(text: str) -> None:
    prepared = prepare([text])

    assert prepared.rules == (None,)
    assert prepared.distinct == (text,)


def test_answers_that_differ_in_case_spaces_or_full_stops_are_one_with_their_weight() -> None:
    prepared = prepare(["Friendly staff", "friendly  staff.", "FRIENDLY STAFF", "Friendly staff", "Good food"])

    assert prepared.distinct == ("Friendly staff", "Good food")
    assert prepared.weights.tolist() == [4, 1]
    assert prepared.index.tolist() == [0, 0, 0, 0, 1]
    assert prepared.first_row.tolist() == [0, 4]


def test_control_characters_and_odd_forms_are_normalised() -> None:
    assert normalise("ﬁne\x00 food\u200b\t\n ok") == "fine food ok"
    assert "\ud800" not in normalise("broken \ud800 half")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=30) | st.sampled_from(["None", "none.", "Good food", "good food", "👍", "idk"])))
def test_every_row_ends_in_a_distinct_text_or_in_a_rule_code(texts: list[str]) -> None:
    prepared = prepare(texts)

    assert prepared.n_rows == len(texts)
    for index, rule in zip(prepared.index, prepared.rules, strict=True):
        assert (index >= 0) == (rule is None)
        assert rule is None or rule in RULES
    assert int(prepared.weights.sum()) + sum(prepared.rule_counts.values()) == len(texts)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=30), st.randoms(use_true_random=False))
def test_shuffled_rows_give_the_same_distinct_texts(texts: list[str], random: object) -> None:
    shuffled = list(texts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    before, after = prepare(texts), prepare(shuffled)

    assert before.distinct == after.distinct
    assert np.array_equal(before.weights, after.weights)
    assert before.digest == after.digest
