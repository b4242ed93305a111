"""Praise, blame, both, neither: by the words, what turns them, and what is said as a whole."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.codeframe import FrameConfig, code_directly
from holdfast.codeframe.sentiment import sentiment_of

POSITIVE = [
    "The staff were great", "Nothing to improve", "No complaints", "No complaints at all, thanks", "Couldn't be better",
    "It was not bad", "Never had a problem", "very friendly, never rude", "not only good but excellent",
    "I can't fault the service", "👍", "easy to use and cheap", "Nothing wrong with it", "Keep up the good work!",
    "helpful without being pushy", "no problems", "nothing was too much trouble", "Nothing it was perfect",
    "I don\u2019t think there is anything you could improve", "I couldn't ask for more",
]  # fmt: skip
NEGATIVE = [
    "not good", "could be better", "Terrible service", "I did not like the food, it was cold", "More parking",
    "I waited 3 hours", "nobody told me anything", "😡", "expensive", "Doesn't work", "lack of choice",
    "You should hire more people", "Service was not very helpful", "they never listened to me", "too long",
    "would be nice to have longer opening hours", "nothing was done about my complaint", "no one fixed the issue",
    "I couldn't get any help with my problem", "Absolutely nothing was good about this",
]  # fmt: skip
MIXED = [
    "good but slow", "Friendly staff but the wait was far too long", "I love the design, however it is too expensive",
    "The doctor was wonderful. The receptionist was rude.",
]  # fmt: skip
NEITHER = ["the weather", "Price", "Everything", "It has four wheels"]
ANSWERS = [*POSITIVE, *NEGATIVE, *MIXED, *NEITHER, "Nothing", "don't know", "", "no, thanks"]


@pytest.mark.parametrize("text", POSITIVE)
def test_praise_is_positive(text: str) -> None:
    assert sentiment_of(text).polarity == "positive"


@pytest.mark.parametrize("text", NEGATIVE)
def test_blame_and_requests_are_negative(text: str) -> None:
    assert sentiment_of(text).polarity == "negative"


@pytest.mark.parametrize("text", MIXED)
def test_both_is_mixed(text: str) -> None:
    found = sentiment_of(text)

    assert (found.polarity, found.is_mixed) == ("neutral", True)


@pytest.mark.parametrize("text", NEITHER)
def test_neither_is_neutral_and_half_sure(text: str) -> None:
    found = sentiment_of(text)

    assert (found.polarity, found.is_mixed, found.certainty) == ("neutral", False, 0.5)


def test_more_praise_is_surer() -> None:
    scores = [sentiment_of(text).certainty for text in ("good", "very good", "very good and helpful", "good but dirty")]

    assert scores[0] < scores[1] < scores[2]
    assert 0 <= min(scores) <= max(scores) <= 1


@settings(deadline=None, max_examples=150)
@given(st.lists(st.one_of(st.text(max_size=40), st.sampled_from(ANSWERS)), max_size=20))
def test_every_answer_has_one_code(texts: list[str]) -> None:
    frame = code_directly("sentiment", texts, FrameConfig())

    assert [len(frame.assignments.codes(row)) for row in range(len(texts))] == [1] * len(texts)
    assert sum(node.n_answers for node in frame.nodes) == len(texts)
    assert [node.name for node in frame.nodes[:3]] == ["Positive", "Neutral or mixed", "Negative"]
    assert all(0 <= score <= 1 for score in frame.assignments.score)


def test_shuffled_rows_get_the_same_codes() -> None:
    order = list(range(len(ANSWERS)))
    random.Random(2).shuffle(order)

    plain = code_directly("sentiment", ANSWERS, FrameConfig()).assignments
    shuffled = code_directly("sentiment", [ANSWERS[row] for row in order], FrameConfig()).assignments

    assert [plain.best[row] for row in order] == list(shuffled.best)


def test_a_bare_nothing_keeps_its_rule_code_and_no_complaints_does_not() -> None:
    frame = code_directly("sentiment", ["Nothing", "No, thanks", "No complaints", "Nothing to improve"], FrameConfig())

    assert [frame.by_number[number].name for number in frame.assignments.best] == [
        "Nothing to add", "Nothing to add", "Positive", "Positive",
    ]  # fmt: skip


def test_answers_in_another_language_are_told() -> None:
    frame = code_directly("sentiment", ["Das Personal war sehr nett", "Zu lange gewartet"], FrameConfig())

    assert any("English only" in note for note in frame.notes)
