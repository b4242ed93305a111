"""Large clusters in parts: a choice of their answers that is the same for the same answers, and bounded."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.codeframe.test_model_labels import brief

from holdfast.codeframe import ClusterResult, Part, plan_parts, prepare
from holdfast.codeframe.parts import ANSWERS, FEWEST, MOST, PART_CHARS, count_parts, most_parts, spread
from holdfast.codeframe.preprocess import Prepared
from holdfast.codeframe.values import Vectors

FAR = "far"  # the word that answers at the edge of the cluster have


def texts(n: int, *, far: int = 0, words: int = 5) -> list[str]:
    """So many different answers, the last `far` of which lie at the edge of the cluster."""
    said = [f"answer {n_:05d} " + "word " * words for n_ in range(n)]
    return [*said[: n - far], *(f"{FAR} {text}" for text in said[n - far :])]


def clustered(rows: Sequence[str], *, small: int = 0) -> tuple[Prepared, Vectors, ClusterResult]:
    """Cluster 0 of these rows, around one direction, with far ones at its edge; cluster 1 of the first `small`."""
    prepared = prepare(rows)
    n = len(prepared.distinct)
    bent = np.array([1.2 if text.startswith(FAR) else 0.01 * (row % 9) for row, text in enumerate(prepared.distinct)])
    vectors = np.stack([np.cos(bent), np.sin(bent)], axis=1).astype(np.float32)
    labels = np.zeros(n, dtype=np.int32)
    labels[:small] = 1
    briefs = tuple(replace(brief(), k=k, n_distinct=int(np.sum(labels == k))) for k in (0, 1))
    found = ClusterResult(
        labels=labels,
        nearest=np.zeros((n, 3), dtype=np.int32),
        affinity=np.zeros((n, 3), dtype=np.float32),
        centroids=np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32),
        tree=np.zeros((1, 4)),
        briefs=briefs,
        automatic=True,
        notes=(),
    )
    return prepared, vectors, found


def parts_of(rows: Sequence[str], *, above: int = 500) -> list[Part]:
    return plan_parts(*clustered(rows), above=above)[0]


def read(parts: Sequence[Part]) -> list[str]:
    return [answer.text for part in parts for answer in part]


def test_rows_in_another_order_give_the_same_parts() -> None:
    rows = [*texts(700, far=60, words=20), *texts(100, words=20)]
    shuffled = [rows[place] for place in np.random.default_rng(3).permutation(len(rows))]

    assert parts_of(shuffled) == parts_of(rows)


def test_only_clusters_with_more_different_answers_than_asked_for_have_parts() -> None:
    built = clustered(texts(60), small=20)

    assert set(plan_parts(*built, above=19)) == {0, 1}
    assert set(plan_parts(*built, above=20)) == {0}
    assert plan_parts(*built, above=40) == {}
    assert plan_parts(*built, above=0) == {}


def test_a_cluster_that_fits_is_read_whole_in_parts_of_about_one_size() -> None:
    rows = texts(520, far=40)

    parts = parts_of(rows)

    assert sorted(read(parts)) == sorted(prepare(rows).distinct)
    assert len(parts) == 3
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("words", [1, 30, 78, 400])
def test_a_large_cluster_has_so_many_parts_of_so_many_characters_and_no_more(words: int) -> None:
    parts = parts_of(texts(4000, words=words))

    assert len(parts) == MOST
    assert all(sum(len(answer.text) for answer in part) <= PART_CHARS for part in parts)
    assert sum(map(len, parts)) <= MOST * ANSWERS
    assert max(len(answer.text) for part in parts for answer in part) <= 402
    # What was bought is used: no part is half empty.
    assert all(len(part) > 0.9 * ANSWERS or sum(len(a.text) for a in part) > 0.9 * PART_CHARS for part in parts)


def test_each_part_has_its_share_of_the_far_answers_and_the_middle_ones() -> None:
    parts = parts_of(texts(4000, far=400, words=40))

    for part in parts:
        far = sum(answer.text.startswith(FAR) for answer in part) / len(part)
        assert 0.07 < far < 0.13
        assert not part[0].text.startswith(FAR)


def test_what_many_respondents_said_is_read_wherever_it_lies() -> None:
    rows = texts(4000, words=40)
    often = f"{FAR} and said again and again"

    answers = [answer for part in parts_of([*rows, *[often] * 30]) for answer in part]

    assert [answer.weight for answer in answers if answer.text == often] == [30]


def test_no_answer_is_read_twice() -> None:
    found = [answer.distinct for part in parts_of([*texts(4000, far=300), *texts(900)]) for answer in part]

    assert len(found) == len(set(found))


@given(st.integers(min_value=1, max_value=300))
def test_every_beginning_of_a_spread_is_spread(n: int) -> None:
    order = spread(n).tolist()

    assert sorted(order) == list(range(n))
    for taken in range(2, n, 7):
        gaps = np.diff([0, *sorted(order[:taken]), n])
        assert gaps.max() <= 4 * n / taken


@given(st.lists(st.integers(min_value=1, max_value=9000), min_size=1, max_size=12), st.integers(1, 700))
@example([2, 2, 401], 1)
def test_no_sizes_of_clusters_make_more_parts_than_were_said_to_be_the_most(sizes: list[int], above: int) -> None:
    each = 60
    large = [size for size in sizes if size > above]

    clusters, parts = most_parts(sum(sizes), each * sum(sizes), clusters=len(sizes), above=above)

    assert len(large) <= clusters
    assert sum(count_parts(size, each * size) for size in large) <= parts
    assert FEWEST * clusters <= parts <= MOST * clusters
