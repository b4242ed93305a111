"""What answers of every kind of survey are about, and which themes their codes go to."""

import pytest

from holdfast.codeframe.evidence import words_of
from holdfast.codeframe.grouping import at_home
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
