"""The whole pipeline on counted words (no model): shape, names, coverage, and bad input."""

import itertools
import random
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.codeframe import (
    AssembledFrame,
    ClusterLabel,
    ClusterResult,
    FrameConfig,
    Hierarchy,
    VectorStack,
    assemble_stage,
    assembly,
    build_codeframe,
    cluster_stage,
    embed_chunk,
    label_stage,
    open_embedder,
    pack_vectors,
    plan_chunks,
    prepare,
    read_vectors,
)
from holdfast.codeframe.embedding import LsaEmbedder
from holdfast.codeframe.naming import stems
from holdfast.errors import BadInput

_PEOPLE = ("staff", "nurses", "receptionists")
_KIND = ("friendly", "helpful", "kind", "polite")
_SLOW = ("long", "endless", "slow")
_WAITS = ("waiting time", "queue", "wait for an appointment")
_TASTE = ("cold", "bland", "tasty", "hot")
_MEALS = ("food", "meals", "breakfast")
_SIZES = ("small", "expensive", "full")
_PLACES = ("car park", "parking space", "parking lot")


def survey() -> list[str]:
    """About four topics: friendly staff, waiting, food, parking."""
    topics = ((_KIND, _PEOPLE, "were"), (_SLOW, _WAITS, "was"), (_TASTE, _MEALS, "was"), (_SIZES, _PLACES, "is"))
    answers = []
    for words, things, copula in topics:
        for word, thing in itertools.product(words, things):
            answers += [f"The {thing} {copula} very {word}", f"{word} {thing}", f"I found the {thing} {word} this time"]
    return answers


MIXED = [*survey(), "", "nothing", "don't know", "asdfasdf", "👍", "Nothing."]


def frame_of(texts: list[str], **asked: object) -> AssembledFrame:
    return build_codeframe(texts, FrameConfig(**asked), LsaEmbedder())  # type: ignore[arg-type]


def check(frame: AssembledFrame, n_rows: int) -> None:
    """What holds for every frame."""
    keys = [node.key for node in frame.nodes]
    names = [node.name.lower() for node in frame.nodes]
    numbers = {node.number for node in frame.nodes if node.node_type == "code"}
    assert len(set(keys)) == len(keys)
    assert len(set(names)) == len(names)
    for place, node in enumerate(frame.nodes):
        assert node.parent is None or node.parent in keys[:place]
        assert all(0 <= row < n_rows for row in node.exemplars)
        assert 0 <= node.confidence <= 1
    assert len(frame.assignments.best) == n_rows
    assert all(frame.assignments.codes(row) for row in range(n_rows))
    assert set(frame.assignments.numbers.tolist()) <= numbers
    assert ((frame.assignments.scores >= 0) & (frame.assignments.scores <= 1)).all()
    assert 0 <= frame.mece.score <= 100
    assert AssembledFrame.from_bytes(frame.to_bytes()).to_bytes() == frame.to_bytes()


def test_four_topics_come_out_as_four_codes_named_after_them() -> None:
    frame = frame_of(survey(), n_clusters=4, hierarchy="flat")

    check(frame, len(survey()))
    said = " ".join(node.name.lower() for node in frame.nodes if node.kind == "content")
    assert sum(any(word in said for word in topic) for topic in TOPICS) >= 3, said


TOPICS = (
    ("staff", "nurses", "receptionists"),
    ("wait", "queue", "appointment"),
    ("food", "meals", "breakfast"),
    ("park", "parking"),
)


@pytest.mark.parametrize(("hierarchy", "moves"), [("two_level", True), ("three_level", False)])
def test_codes_are_put_under_their_topic_s_theme_only_where_no_theme_stands_above_it(
    monkeypatch: pytest.MonkeyPatch, hierarchy: Hierarchy, moves: bool
) -> None:
    given: list[Sequence[int]] = []
    monkeypatch.setattr(assembly, "at_home", lambda themes, briefs, names: given.append(themes) or themes)

    frame_of(MIXED, n_clusters=12, hierarchy=hierarchy)

    assert bool(given) == moves, "a theme above would follow the code that was moved"


@pytest.mark.parametrize(("hierarchy", "levels"), [("flat", 1), ("two_level", 2), ("three_level", 3), ("adaptive", 2)])
def test_the_frame_has_the_levels_asked_for(hierarchy: Hierarchy, levels: int) -> None:
    frame = frame_of(MIXED, n_clusters=12, hierarchy=hierarchy)

    check(frame, len(MIXED))
    content = [node for node in frame.nodes if node.kind == "content"]
    codes = [node for node in content if node.node_type == "code"]
    assert len(codes) == 12
    assert {node.level for node in codes} == {levels}
    by_key = {node.key: node for node in frame.nodes}
    for code in codes:
        above = [code]
        while above[-1].parent:
            above.append(by_key[above[-1].parent])
        assert len(above) == levels
        assert len({frozenset(stems(node.name)) for node in above}) == levels


def test_a_small_adaptive_frame_stays_flat() -> None:
    frame = frame_of(survey(), n_clusters=4)

    assert {node.node_type for node in frame.nodes} == {"code"}


def test_rows_that_say_nothing_have_their_rule_code_with_score_one() -> None:
    frame = frame_of(MIXED, n_clusters=4)

    names = [frame.by_number[int(number)].name for number in frame.assignments.best[-6:]]
    assert names == [
        "No answer",
        "Nothing to add",
        "Don't know",
        "Unintelligible",
        "Emoji or number only",
        "Nothing to add",
    ]
    assert (frame.assignments.score[-6:] == 1).all()
    assert frame.by_number[996].n_answers == 2


def test_shuffled_rows_give_the_same_codes_for_the_same_answers() -> None:
    order = list(range(len(MIXED)))
    random.Random(3).shuffle(order)

    before = frame_of(MIXED)
    after = frame_of([MIXED[row] for row in order])

    assert np.array_equal(before.assignments.best[order], after.assignments.best)
    assert [node.name for node in before.nodes] == [node.name for node in after.nodes]


def test_a_text_nobody_else_is_near_to_ends_visibly_in_other() -> None:
    texts = [*survey(), "zygote quixotic brouhaha vexillology"]

    frame = frame_of(texts, n_clusters=4)

    assert frame.by_number[int(frame.assignments.best[-1])].name == "Other"
    assert frame.assignments.score[-1] == 0


def test_clusters_without_a_label_end_in_other_and_the_frame_says_so() -> None:
    prepared = prepare(survey())
    embedder = LsaEmbedder()
    vectors = read_vectors([embed_chunk(embedder, prepared.distinct)])
    config = FrameConfig(n_clusters=4)
    clustering = cluster_stage(prepared, vectors, config)
    labels = {k: label_stage(k, clustering, config) for k in range(1, 4)}

    frame = assemble_stage(prepared, vectors, clustering, labels, config)

    check(frame, len(survey()))
    other = next(node for node in frame.nodes if node.key == "other")
    assert other.n_answers >= clustering.briefs[0].n_answers
    assert "1 clusters" in frame.notes[-1]


def test_the_frame_says_which_labels_were_made_without_some_parts() -> None:
    prepared = prepare(survey())
    vectors = read_vectors([embed_chunk(LsaEmbedder(), prepared.distinct)])
    config = FrameConfig(n_clusters=4)
    clustering = cluster_stage(prepared, vectors, config)
    labels = {k: replace(label_stage(k, clustering, config), unread=k % 3) for k in range(4)}

    frame = assemble_stage(prepared, vectors, clustering, labels, config)

    assert "3 parts of 2 large clusters could not be read" in frame.notes[-1]


def test_stage_results_read_by_another_process_give_the_same_frame() -> None:
    prepared = prepare(MIXED)
    chunk = embed_chunk(LsaEmbedder(), prepared.distinct)
    vectors, config = read_vectors([chunk]), FrameConfig.from_json(FrameConfig(n_clusters=5).to_json())
    clustering = cluster_stage(prepared, vectors, config)
    labels = {k: label_stage(k, clustering, config) for k in range(5)}
    stored = ClusterResult.from_bytes(clustering.to_bytes())
    stored_labels = {k: ClusterLabel.from_json(label.to_json()) for k, label in labels.items()}

    here = assemble_stage(prepared, vectors, stored, stored_labels, config)

    assert stored.to_bytes() == clustering.to_bytes()
    assert here.to_bytes() == build_codeframe(MIXED, config, LsaEmbedder()).to_bytes()


def test_an_existing_code_keeps_its_name() -> None:
    first = frame_of(survey(), n_clusters=4)
    known = next(node.name for node in first.nodes if node.kind == "content")

    frame = frame_of(survey(), n_clusters=4, existing_codes=(known.upper(), "Something else entirely"))

    linked = [node for node in frame.nodes if node.existing]
    assert [node.existing for node in linked] == [known.upper()]


@pytest.mark.parametrize(
    ("texts", "asked"),
    [
        ([], None),
        (["", "n/a", "nothing", "idk"], None),
        (["only one answer"], None),
        (["only one answer"], 5),
        (["the same answer"] * 40, None),
        (["the same answer"] * 40, 7),
        (["word"] * 5 + ["other"] * 5, None),
        (["food"], 3),
        ([f"answer number {n}" for n in range(9)], 200),
        (["🎉", "👍 👍", "❤️"] * 5, 3),
        (["word " * 10_000, "another " * 6_000, "short answer"] * 5, 2),
        (["a\x00b c\x00d", "\x00", "a b c d e"] * 4, 2),
        (["очень хорошо", "плохо", "非常好", "とても良い"] * 6, 3),
    ],
)
def test_odd_input_gives_a_whole_frame(texts: list[str], asked: int | None) -> None:
    frame = frame_of(texts, n_clusters=asked)

    check(frame, len(texts))
    if not any(node.kind == "content" for node in frame.nodes):
        assert frame.notes, "a frame without codes says why"


def test_an_embedder_of_the_whole_corpus_gets_one_chunk_and_others_get_many() -> None:
    prepared = prepare([f"text {n}" for n in range(25)])

    assert plan_chunks(prepared, whole_corpus=True) == [range(25)]
    assert plan_chunks(prepared, size=10) == [range(10), range(10, 20), range(20, 25)]
    assert plan_chunks(prepare([])) == []


def test_long_answers_make_chunks_of_fewer_texts_whatever_the_order_of_the_rows() -> None:
    texts = [*(f"{letter}{'word ' * 10}" for letter in "abcd"), "e" + "word " * 100, "f short"]
    prepared, shuffled = prepare(texts), prepare(texts[::-1])

    chunks = plan_chunks(prepared, size=3, characters=120)

    assert [len(chunk) for chunk in chunks] == [2, 2, 1, 1]
    assert [text for chunk in chunks for text in prepared.distinct[chunk.start : chunk.stop]] == list(prepared.distinct)
    assert shuffled.distinct == prepared.distinct
    assert plan_chunks(shuffled, size=3, characters=120) == chunks
    long = prepare([f"{n} {'word ' * 10_000}" for n in range(20)])
    assert max(map(len, plan_chunks(long))) < 20


def test_vectors_of_two_embedders_are_not_mixed() -> None:
    class Renamed(LsaEmbedder):
        name = "another"

    with pytest.raises(ValueError, match="must not be mixed"):
        read_vectors([embed_chunk(LsaEmbedder(), survey()), embed_chunk(Renamed(), survey())])


def test_vectors_are_put_together_from_chunks_that_need_not_be_kept() -> None:
    chunks = (pack_vectors("made", np.full((1000, 64), n + 1, np.float32)) for n in range(40))  # 5 MB, 10 when read
    stack = VectorStack(40_000)

    tracemalloc.start()
    stack.add(chunks)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert stack.vectors.shape == (40_000, 64)
    assert stack.vectors[[0, -1]].tolist() == [[0.125] * 64] * 2
    assert peak < stack.vectors.nbytes + 1_500_000


@pytest.mark.parametrize("size", [1, 2])
def test_more_vectors_than_were_said_are_refused(size: int) -> None:
    chunk = pack_vectors("made", np.ones((size, 4), np.float32))
    stack = VectorStack(2)

    with pytest.raises(ValueError, match=r"[34] vectors or more where 2 were expected"):
        stack.add([chunk] * 3)


def test_an_unknown_embedder_is_refused_with_the_names_that_exist(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="auto, minilm, lsa, fastembed:MODEL or openai:MODEL"):
        open_embedder("word2vec", cache=tmp_path)
