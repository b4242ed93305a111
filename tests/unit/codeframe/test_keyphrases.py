"""Phrases are cut as a person would cut them."""

import numpy as np
import pytest

from holdfast.codeframe.evidence import Evidence
from holdfast.codeframe.keyphrases import PhraseCounts, Spellings, count_phrases, rank_phrases
from holdfast.codeframe.values import Phrase


def phrases_of(*texts: str) -> set[str]:
    spellings = Spellings()
    counted = count_phrases([(text, 1) for text in texts], spellings)
    return {spellings.best(key) for key in counted.counts}


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("The staff were very friendly and helpful", "friendly staff"),
        ("The staff were very friendly and helpful", "helpful staff"),
        ("Cancel my reservation please", "cancel reservation"),
        ("There was a lack of communication", "lack of communication"),
        ("The waiting times are long", "long waiting times"),
        ("I have no complaints", "no complaints"),
        ("The staff were kind", "kind staff"),
        ("Please flip a coin", "flip coin"),
        ("Staff change their rota", "change rota"),
    ],
)
def test_the_phrase_a_person_would_write_is_among_those_found(text: str, phrase: str) -> None:
    assert phrase in phrases_of(text)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("The staff were not friendly", "friendly staff"),
        ("Good food. Staff rude", "food staff"),
        ("I have no complaints", "complaints"),
        ("We went to the ward and it was clean", "ward and"),
        ("Which gas my car takes", "gas car"),
        ("A kind of music", "kind music"),
        ("It is of course dear", "course"),
    ],
)
def test_what_was_not_said_is_not_found(text: str, phrase: str) -> None:
    assert phrase not in phrases_of(text)


def test_acronyms_keep_their_capitals_and_shouting_does_not_count() -> None:
    assert "NHS dentist" in phrases_of("I need an NHS dentist", "the NHS dentist", "NO NHS DENTIST")
    assert "turn TV" in phrases_of("turn the tv on", "is the tv on")
    assert "good food" in phrases_of("Good food", "GOOD FOOD", "the good food")


def test_the_best_phrase_is_said_here_and_not_by_the_neighbour() -> None:
    spellings = Spellings()
    own = count_phrases([("long waiting times", 3), ("good service but long waiting times", 2)], spellings)
    near = count_phrases([("good service", 5), ("friendly service", 2)], spellings)
    rest = PhraseCounts(answers=own.answers + near.answers, counts=own.counts + near.counts)

    ranked = rank_phrases(own, [near], rest, spellings)

    assert ranked[0].text in {"long waiting times", "waiting times"}
    assert ranked[0].share == 1.0
    assert all(phrase.text != "good service" for phrase in ranked[:3])


def test_half_of_a_phrase_is_not_told_for_the_whole_of_it() -> None:
    spellings = Spellings()
    own = count_phrases([("please freeze bank account", 4), ("freeze bank account now", 4)], spellings)
    rest = PhraseCounts(answers=own.answers + 20, counts=own.counts.copy())

    ranked = [phrase.text for phrase in rank_phrases(own, [], rest, spellings)]

    assert "bank account" in ranked
    assert "freeze bank" not in ranked
    assert "bank" not in ranked


def test_a_turn_of_speech_is_about_no_topic() -> None:
    evidence = Evidence(["Of course it is dear", "The course was dear"], np.ones(2, dtype=np.int32), np.arange(2), 2)

    about = Phrase(text="Sessions and courses", count=1, share=0.5, elsewhere=0.0, score=0.0, kind="topic")

    assert evidence.speaking(about).tolist() == [1]
