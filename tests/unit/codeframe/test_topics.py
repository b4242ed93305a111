"""What answers of every kind of survey are about, and which themes their codes go to."""

from dataclasses import replace

import numpy as np
import pytest

from holdfast.codeframe.evidence import Evidence, words_of
from holdfast.codeframe.grammar import Grammar
from holdfast.codeframe.grouping import at_home
from holdfast.codeframe.labelling import label_cluster
from holdfast.codeframe.points import what_is_said
from holdfast.codeframe.themes import Group, name_themes
from holdfast.codeframe.topics import PLACES, THEME_NAMES, THEMES, TOPICS, topics_of
from holdfast.codeframe.values import Brief, Phrase


def about(text: str) -> set[str]:
    return {TOPICS[place].name for place in topics_of(text, words_of(text))}


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("No pay rise for three years", "Pay and salaries"),
        ("My laptop takes ten minutes to start", "IT and computers"),
        ("Too much red tape", "Bureaucracy"),
        ("I'd like to work more from home", "Working from home"),
        ("The battery is flat after an hour", "Battery life"),
        ("More vegetarian meals please", "Healthy food"),
        ("There are potholes on every road", "Traffic and roads"),
        ("The exam was harder than the lectures", "Exams and grades"),
        ("Nobody answers the phone", "Phone contact"),
        ("The phone has a dull screen", "Phone features"),
    ],
)
def test_answers_of_many_kinds_of_surveys_are_about_a_known_topic(text: str, topic: str) -> None:
    assert topic in about(text)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Free coffee would be nice", "Friendliness"),
        ("I work evenings just to keep up", "Keep up the good work"),
        ("The phone has a dull screen", "Phone contact"),
        ("Red paint, brown tape", "Bureaucracy"),
        ("We were thankful for the nurses", "Recognition"),
    ],
)
def test_a_word_of_a_topic_in_another_sense_is_not_about_it(text: str, topic: str) -> None:
    assert topic not in about(text)


def test_a_verdict_keeps_its_polarity() -> None:
    better = PLACES["Nothing could be better"]

    assert better in topics_of("Nothing could have been better", [])
    assert better in topics_of("It couldn't be any better", [])
    assert better not in topics_of("The food was cold", words_of("The food was cold"))


@pytest.mark.parametrize("text", ["nothing", "No.", "Nothing, it was all good", "nothing for me"])
def test_nothing_to_improve_is_a_verdict(text: str) -> None:
    assert PLACES["Nothing to improve"] in topics_of(text, [])


@pytest.mark.parametrize("text", ["No parking", "Nothing I want to watch", "nothing for teenagers to do"])
def test_what_is_missing_is_no_verdict(text: str) -> None:
    assert PLACES["Nothing to improve"] not in topics_of(text, [])


def test_topics_have_names_of_their_own_and_every_theme_has_a_topic() -> None:
    assert len(PLACES) == len(TOPICS)
    assert set(THEME_NAMES) <= set(THEMES)
    assert all(1 <= len(topic.name.split()) <= 5 for topic in TOPICS)
    assert all(topic.groups or topic.pattern for topic in TOPICS)


def brief(k: int, n: int, **themes: float) -> Brief:
    phrases = tuple(
        Phrase(text=text.replace("_", " "), count=share * n, share=share, elsewhere=0.0, score=0.0, kind="theme")
        for text, share in themes.items()
    )
    return Brief(
        k=k, n_answers=n, n_distinct=n, cohesion=0.5, exemplars=(), outsiders=(), neighbours=(), phrases=phrases
    )


def test_a_code_that_is_a_known_topic_goes_to_the_theme_about_it() -> None:
    waiting = "Waiting_and_appointments"
    briefs = [
        brief(0, 40, Care_and_support=0.9),
        brief(1, 30, **{waiting: 0.9}),
        brief(2, 10, **{waiting: 0.5, "Care_and_support": 0.4}),
        brief(3, 5, **{waiting: 0.5}),
    ]
    names = {0: "Treatment", 1: "Waiting times", 2: "Medication", 3: "Ticket machine"}

    assert at_home([0, 1, 1, 1], briefs, names) == [0, 1, 0, 1]
    assert at_home([0, 1, 1, 1], briefs, names | {2: "Opening hours"}) == [0, 1, 1, 1], "no theme is about access"


def test_two_themes_about_the_same_become_one_where_nothing_else_is_in_the_smaller() -> None:
    briefs = [brief(k, 40 - k, Communication=0.9) for k in range(4)]
    names = {0: "Clear explanations", 1: "Information", 2: "Phone contact", 3: "Phone contact again"}

    assert at_home([0, 0, 1, 2], briefs, names) == [0, 0, 0, 2]
    assert at_home([0, 0, 1, 1], briefs, names) == [0, 0, 1, 1], "its other code has no home"


def test_the_theme_that_is_most_about_it_is_a_topic_s_home_not_the_largest() -> None:
    briefs = [brief(k, n, Communication=0.9) for k, n in enumerate((30, 50, 20, 15))]
    names = {0: "Phone contact", 1: "Ticket machine", 2: "Information", 3: "Clear explanations"}

    assert at_home([0, 0, 1, 1], briefs, names) == [0, 0, 1, 1]


def named(*answers: str) -> set[str]:
    """The topics that a survey's only cluster could be called after."""
    rows = np.zeros(len(answers), dtype=np.int32)
    evidence = Evidence(answers, np.ones_like(rows), rows, 1)
    return {point.text for point in what_is_said(0, [], evidence, Grammar()) if point.kind != "phrase"}


@pytest.mark.parametrize(
    ("answers", "topic", "theme"),
    [
        (["Our server was slow", "The servers forgot us"], "IT and computers", "Workplace"),
        (["It gives me peace of mind", "For peace of mind"], "War and peace", "Society"),
        (["The company policy is unfair", "A strict policy"], "Insurance", "Payments"),
    ],
)
def test_one_word_that_is_not_its_name_makes_no_topic_and_no_theme(answers: list[str], topic: str, theme: str) -> None:
    assert not {topic, theme} & named(*answers)


@pytest.mark.parametrize(
    ("answers", "topic", "theme"),
    [
        (["Our server was down", "My laptop is old"], "IT and computers", "Workplace"),
        (["No parking at all", "Parking again"], "Parking", "Access"),
        (["Red tape everywhere", "So much red tape"], "Bureaucracy", "Management"),
        (["Nothing could be better", "It could not be better"], "Nothing could be better", "General satisfaction"),
    ],
)
def test_several_words_or_its_name_make_a_topic_and_its_theme(answers: list[str], topic: str, theme: str) -> None:
    assert {topic, theme} <= named(*answers)


def test_two_words_of_a_topic_stand_side_by_side_and_have_no_star() -> None:
    joined = [word for topic in TOPICS for group in topic.groups for word in group.split() if "_" in word]

    assert joined
    assert [word for word in joined if word.count("_") > 1 or "*" in word] == []


def test_a_brief_with_a_topic_of_an_older_lexicon_still_gets_its_name() -> None:
    topic = Phrase(text="Pay and such", count=9.0, share=0.9, elsewhere=0.0, score=0.0, kind="topic")
    kept = replace(brief(0, 10), phrases=(topic,))
    centres = np.ones((1, 3), dtype=np.float32)

    assert label_cluster(kept, centres).name == "Pay and such"
    assert name_themes([Group((0,), ("Spare",))], [kept], centres, taken=set(), embedder=None) == ["Pay and such"]
