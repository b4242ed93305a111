"""Names read as a person would write them, hold for the answers, and are shown by the first quote."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest

from holdfast.codeframe import AssembledFrame, FrameConfig, Node, build_codeframe
from holdfast.codeframe.embedding import LsaEmbedder
from holdfast.codeframe.evidence import Evidence, words_of
from holdfast.codeframe.grammar import Grammar
from holdfast.codeframe.labelling import label_cluster, quotes, says
from holdfast.codeframe.metrics import name_lift
from holdfast.codeframe.naming import Candidate, rank, stems
from holdfast.codeframe.points import what_is_said
from holdfast.codeframe.shapes import readable
from holdfast.codeframe.themes import Group, name_themes, spare_names
from holdfast.codeframe.topics import PLACES, THEME_NAMES, TOPICS, topics_of
from holdfast.codeframe.values import Brief, Exemplar, Vectors
from holdfast.codeframe.words import stem

_STAFF = ("staff", "nurses", "receptionists", "doctors")
_KIND = ("friendly", "kind", "polite", "lovely")
_MEALS = ("food", "meals", "breakfast", "dinner")
_TASTE = ("cold", "bland", "tasty", "late")
_NOISE = ("noisy", "loud", "not quiet", "too noisy to sleep")
_PLACES = ("ward", "room", "corridor", "building")
_WAITS = ("wait", "waiting time", "queue", "delay")
_LONG = ("too long", "very long", "far too long", "longer than hours")


def survey() -> list[str]:
    topics = ((_STAFF, _KIND, "were"), (_MEALS, _TASTE, "was"), (_PLACES, _NOISE, "was"), (_WAITS, _LONG, "was"))
    made = [
        f"The {thing} {verb} {how}{end}"
        for things, hows, verb in topics
        for thing in things
        for how in hows
        for end in ("", " this time")
    ]
    return (
        made + ["Nothing could have been better", "Nothing needs to be improved at all here", "Could not be better"] * 3
    )


@cache
def frame_and_texts() -> tuple[AssembledFrame, list[str]]:
    texts = survey()
    return build_codeframe(texts, FrameConfig(n_clusters=8, hierarchy="two_level"), LsaEmbedder()), texts


def codes() -> tuple[list[Node], list[Node], list[str]]:
    frame, texts = frame_and_texts()
    content = [node for node in frame.nodes if node.kind == "content"]
    return [n for n in content if n.node_type == "code"], [n for n in content if n.node_type == "theme"], texts


@pytest.mark.parametrize(
    "text",
    [
        "waiting times",
        "friendly staff",
        "friendly and helpful staff",
        "no complaints",
        "food",
        "parking",
        "cancel order",
        "lack of communication",
        "right to vote",
        "assisted suicide",
        "quick and efficient",
        "phone appointments",
    ],
)
def test_a_phrase_that_people_write_as_a_code_is_readable(text: str) -> None:
    assert readable(text) > 0.5


@pytest.mark.parametrize(
    "text",
    [
        "straight",
        "whole",
        "cannot",
        "quickly",
        "very",
        "xxxx",
        "january",
        "2021",
        "staff was",
        "action helps",
        "students focus",
        "listened listening",
        "don't know",
        "of staff",
        "staff of",
        "job",
        "",
    ],
)
def test_half_a_sentence_or_a_bare_adjective_is_no_name(text: str) -> None:
    assert readable(text) == 0


def test_every_code_s_first_quote_says_its_name() -> None:
    found, _, texts = codes()

    assert len(found) == 8
    for node in found:
        assert says(node.name, texts[node.exemplars[0]]), (node.name, texts[node.exemplars[0]])


def test_a_code_s_answers_say_its_name_far_more_often_than_the_others() -> None:
    frame, texts = frame_and_texts()
    names = {node.number: node.name for node in codes()[0]}

    said, said_elsewhere = name_lift(names, frame.assignments.best, texts)

    assert said >= 0.8
    assert said_elsewhere <= 0.2


def test_the_lift_of_names_counts_words_and_topics_inside_and_outside() -> None:
    texts = ["friendly staff", "the staff", "too expensive", "cold food"]

    assert name_lift({1: "Friendly staff", 2: "Price and cost"}, [1, 1, 2, 995], texts) == (1.0, 0.0)
    assert name_lift({1: "Food", 2: "Staff"}, [1, 1, 2, 995], texts) == (0.0, pytest.approx(5 / 9))


class _Named:
    """An embedder that knows the directions of a few names, and nothing of all others."""

    name, whole_corpus = "named", False
    known = {"ban zoos": (1.0, 0.0, 0.0), "animal cruelty": (0.2, 0.98, 0.0)}  # noqa: RUF012

    def embed(self, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None) -> Vectors:
        return np.array([self.known.get(text, (0.0, 0.0, 1.0)) for text in texts], dtype=np.float32)


def test_a_name_that_repeats_the_question_gives_way_to_what_the_answers_say() -> None:
    asked = [Candidate("ban zoos", 0.95, 0.9), Candidate("animal cruelty", 0.1, 0.3)]
    one_question = np.array([(0.9, 0.43, 0.0), (0.9, 0.0, 0.43), (0.9, -0.43, 0.0)], dtype=np.float32)
    one_question /= np.linalg.norm(one_question, axis=1, keepdims=True)
    many = np.array([(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)], dtype=np.float32)

    assert rank(asked, 0, one_question, _Named())[0][1].text == "animal cruelty"
    assert rank(asked, 0, many, _Named())[0][1].text == "ban zoos"


def test_two_codes_together_name_a_theme_without_their_verbs_or_the_same_word_twice() -> None:
    assert spare_names(["Set alarm", "Roll dice", "Weather"], [], joiner=" and ") == ("Alarm and dice",)
    assert spare_names(["Change name", "Name", "NHS"], [], joiner=" and ") == ("Change name and NHS",)
    assert spare_names(["Essen", "Nette Mitarbeiter"], [], joiner=" / ") == ("Essen / Nette Mitarbeiter",)
    assert spare_names(["Parking"], ["Car park"], joiner=" and ") == ("Car park", "Parking and …")
    assert spare_names(["Helpful and kind"], ["Kind and useful"], joiner=" and ") == ("Helpful and kind and …",)


def test_code_names_are_readable_or_known_topics() -> None:
    found, _, _ = codes()

    for node in found:
        assert node.name in PLACES or readable(node.name.lower()) > 0, node.name
        assert len(node.name.split()) <= 5


def test_a_theme_s_name_holds_for_half_of_its_answers_codes() -> None:
    found, themes, texts = codes()

    for theme in themes:
        below = [node for node in found if node.parent == theme.key]
        shown = sum(node.n_answers for node in below if any(_holds(theme.name, texts[row]) for row in node.exemplars))
        assert shown * 2 >= sum(node.n_answers for node in below), theme.name


def _holds(name: str, text: str) -> bool:
    usual = {other: theme for theme, other in THEME_NAMES.items()}
    parts = {usual.get(name, name), *(part[:1].upper() + part[1:] for part in name.split(" and "))}
    about = {TOPICS[place].theme for place in topics_of(text, words_of(text))}
    said = {stem(word) for word in words_of(text)}
    return bool(parts & about) or says(name, text) or bool({stem(w) for w in words_of(name)} & said)


def test_the_quote_that_says_both_halves_of_a_name_comes_first() -> None:
    texts = ["Staff", "Friendly staff", "The staff are so friendly and helpful", "Parking"]
    given = [Exemplar(distinct=n, text=text, weight=1) for n, text in enumerate(texts)]

    assert [shown.distinct for shown in quotes("Friendly and helpful staff", given)] == [2, 1, 0, 3]


def test_shares_count_a_phrase_in_any_order_and_form_and_only_in_its_cluster() -> None:
    texts = ["The staff were friendly", "friendly staff", "bad food", "foods"]
    ones = np.ones(4, dtype=np.int32)
    evidence = Evidence(texts, ones, np.array([0, 0, 1, 1], dtype=np.int32), 2)

    assert evidence.shares(evidence.saying("friendly staff")).tolist() == [1.0, 0.0]
    assert evidence.shares(evidence.saying("food")).tolist() == [0.0, 1.0]
    assert "Friendly staff" in {point.text for point in what_is_said(0, [], evidence, Grammar())}


def test_a_known_topic_needs_its_meaning_or_most_of_the_answers() -> None:
    centres = np.array([(1.0, 0.0, 0.0), (0.0, 1.0, 0.0)], dtype=np.float32)
    said_by_few = [Candidate("Help and support", 1.6, 0.2), Candidate("ban zoos", 0.1, 0.2)]
    said_by_most = [Candidate("Help and support", 1.6, 0.6), Candidate("ban zoos", 0.1, 0.2)]

    assert rank(said_by_few, 0, centres, _Named())[0][1].text == "ban zoos"
    assert rank(said_by_most, 0, centres, _Named())[0][1].text == "Help and support"


def test_a_theme_is_left_unnamed_only_when_there_is_no_other_name() -> None:
    brief = Brief(k=0, n_answers=10, n_distinct=10, cohesion=0.5, exemplars=(), outsiders=(), neighbours=(), phrases=())
    group = Group((0,), ("Car park", "Parking and …"))
    centres = np.ones((1, 3), dtype=np.float32)

    assert name_themes([group], [brief], centres, taken={stems("Parking")}, embedder=None) == ["Car park"]
    assert name_themes([group], [brief], centres, taken={stems("Car park")}, embedder=None) == ["Parking and …"]


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        (["Home office equipment should be paid by the company"], "Home office equipment"),
        (["It takes weeks", "Helpdesk never replies", "The car park barrier is broken"], "Car park barrier"),
        (["It takes weeks to get anything approved"], "It takes weeks"),
        (["Keep trying"], "Keep trying"),
        (["How are ya today"], "How are ya"),
        (["Sarah was wonderful", "Mary Jones in ward 7 was a star", "The lift is broken"], "Lift"),
        (["Lack of parking for the staff"], "Lack of parking"),
        ([], "Cluster 3"),
    ],
)
def test_a_cluster_without_a_phrase_of_its_own_is_called_what_its_answers_begin_with(
    answers: list[str], name: str
) -> None:
    shown = tuple(Exemplar(distinct=n, text=text, weight=1) for n, text in enumerate(answers))
    brief = Brief(
        k=2, n_answers=9, n_distinct=9, cohesion=0.5, exemplars=shown, outsiders=(), neighbours=(), phrases=()
    )

    assert label_cluster(brief, np.ones((3, 3), dtype=np.float32)).name == name
