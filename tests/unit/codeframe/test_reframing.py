"""Last wave's codeframe over new answers: which nodes stay, and what they count."""

import tracemalloc
from collections.abc import Sequence

import numpy as np

from holdfast.codeframe import CodedRows, Node, Remembering, Vectors, named_frame, reframe


def node(key: str, number: int, *, parent: str | None = None, kind: str = "content", position: int = 0) -> Node:
    return Node(
        key=key,
        parent=parent,
        node_type="theme" if key.startswith("theme") else "code",
        kind=kind,  # type: ignore[arg-type]
        level=1 if parent is None else 2,
        position=position,
        number=number,
        name=key,
        description="",
        confidence=0.5,
        keyphrases=(),
        exemplars=(99,),
        n_answers=77,
        share=0.7,
        clusters=(3,),
    )


NODES = [
    node("theme/1", 1001),
    node("theme/apart", 1999, kind="rule", position=1),
    node("code/1", 1, parent="theme/1"),
    node("code/2", 2, parent="theme/1", position=1),
    node("other", 995, parent="theme/apart", kind="other"),
    node("rule/unintelligible", 997, parent="theme/apart", kind="rule", position=1),
]
ROWS = CodedRows(
    numbers=((1,), (2, 1), (), (), (1,)),
    scores=((0.6,), (0.8, 0.7), (), (), (0.9,)),
    rules=(None, None, None, "no_answer", None),
)


def test_nodes_keep_their_numbers_and_count_this_wave_s_rows() -> None:
    found = reframe(NODES, ROWS, embedder=None, notes=["said"])

    counts = {each.key: each.n_answers for each in found.nodes}
    assert counts["theme/1"] == 3  # a row with two codes of a theme counts once
    assert (counts["code/1"], counts["code/2"], counts["other"], counts["theme/apart"]) == (3, 1, 1, 2)
    assert {each.number for each in found.nodes if each.kind == "content"} == {1001, 1, 2}
    assert found.by_number[1].share == 0.6
    assert found.notes == ("said",)


def test_rule_codes_are_those_that_occur_now() -> None:
    found = reframe(NODES, ROWS, embedder=None, notes=[])

    rules = [each for each in found.nodes if each.kind == "rule" and each.node_type == "code"]
    assert [(each.key, each.number, each.parent, each.n_answers) for each in rules] == [
        ("rule/no_answer", 999, "theme/apart", 1)
    ]
    assert len({(each.parent, each.position) for each in found.nodes}) == len(found.nodes)


def test_every_row_is_assigned_and_the_surest_are_quoted() -> None:
    found = reframe(NODES, ROWS, embedder=None, notes=[])

    assert [found.assignments.codes(row) for row in range(5)] == [(1,), (2, 1), (995,), (999,), (1,)]
    assert found.assignments.score.tolist() == np.array([0.6, 0.8, 0, 1, 0.9], np.float32).tolist()
    assert found.by_number[1].exemplars == (4, 1, 0)
    assert found.mece.exhaustiveness == 0.8


class Counting:
    """Gives every text the same vector, and says which texts it has read."""

    name, dim, whole_corpus = "counting", 2, False

    def __init__(self) -> None:
        self.read: list[str] = []

    def embed(self, texts: Sequence[str], *, progress: object = None) -> Vectors:
        self.read += texts
        return np.tile(np.array([[0.0, 1.0]], np.float32), (len(texts), 1))


def test_texts_that_were_read_before_are_not_read_again() -> None:
    own, known = Counting(), np.array([[1, 0], [0.6, 0.8]], np.float32)
    embedder = Remembering(own, ["a", "b"], known)

    found = embedder.embed(["b", "new", "a", "new"])

    assert own.read == ["new"]
    assert found.tolist() == [known[1].tolist(), [0, 1], [1, 0], [0, 1]]
    assert embedder.embed(["a"]).tolist() == [[1, 0]]
    assert Remembering(own, [], np.zeros((0, 1), np.float32)).embed(["x"]).tolist() == [[0, 1]]


def test_a_few_new_texts_beside_many_known_ones_copy_none_of_those() -> None:
    known = np.zeros((20_000, 2), np.float32)  # 160 kB, and their texts' places more
    embedder = Remembering(Counting(), [f"answer {n}" for n in range(len(known))], known)

    tracemalloc.start()
    embedder.embed(["a phrase", "answer 7"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 50_000


def test_codes_that_are_only_named_are_a_flat_frame_whatever_their_order() -> None:
    names = ["Parking", "friendly  staff", "Other", "Friendly staff", "parking", " ", "No answer"]

    found = named_frame(names)

    assert [(node.number, node.name, node.kind) for node in found] == [
        (1, "Friendly staff", "content"),
        (2, "Parking", "content"),
        (995, "Other", "other"),
    ]
    assert found == named_frame(names[::-1])
