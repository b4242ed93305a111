"""Clusters: as many as asked or as many as there are, whatever the order of the rows."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.codeframe import neighbours, smoothing
from holdfast.codeframe.clustering import Automatic, cluster
from holdfast.codeframe.metrics import adjusted_rand, matched_accuracy
from holdfast.codeframe.usual import likely_clusters, usual_codes
from holdfast.codeframe.values import Vectors


def blobs(k: int, each: int, *, spread: float = 0.6, seed: int = 0) -> tuple[Vectors, np.ndarray]:
    """Unit vectors around k random directions of 48 dimensions, and which direction each is from."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(k, 48))
    truth = np.repeat(np.arange(k), each)
    vectors = centres[truth] + spread * random.normal(size=(k * each, 48))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def ones(vectors: Vectors) -> np.ndarray:
    return np.ones(len(vectors), dtype=np.int32)


@pytest.mark.parametrize("k", [4, 12, 30])
def test_clear_groups_are_found_with_their_number_unknown(k: int) -> None:
    vectors, truth = blobs(k, 40)

    found = cluster(vectors, ones(vectors), n_clusters=Automatic())

    assert 0.8 * k <= found.n_clusters <= 1.3 * k
    assert adjusted_rand(truth, found.labels) > 0.85


def test_as_many_clusters_as_asked_for_are_made() -> None:
    vectors, _ = blobs(6, 30)

    for asked in (1, 2, 6, 17):
        found = cluster(vectors, ones(vectors), n_clusters=asked)
        assert found.n_clusters == asked
        assert set(found.labels.tolist()) == set(range(asked))
        assert found.tree.shape == (asked - 1, 4)


def test_fewer_texts_than_clusters_give_fewer_clusters_and_a_note() -> None:
    vectors, _ = blobs(3, 1)

    found = cluster(vectors, ones(vectors), n_clusters=10)

    assert found.n_clusters == 3
    assert "10 clusters were asked for" in found.notes[0]


def test_identical_vectors_are_one_cluster_even_when_more_are_asked_for() -> None:
    vectors = np.tile(blobs(1, 1)[0], (20, 1))

    found = cluster(vectors, ones(vectors), n_clusters=4)

    assert found.n_clusters == 1
    assert found.notes


def test_too_few_answers_give_no_cluster_and_a_reason() -> None:
    vectors, _ = blobs(1, 3)

    found = cluster(vectors, ones(vectors), n_clusters=Automatic(least=(5, 3)))

    assert found.n_clusters == 0
    assert found.labels.tolist() == [-1, -1, -1]
    assert found.notes == ("3 answers are too few for a cluster",)


def test_automatic_clusters_have_at_least_the_smallest_size() -> None:
    vectors, _ = blobs(10, 12, spread=1.5)

    found = cluster(vectors, ones(vectors), n_clusters=Automatic(least=(9, 3)))

    assert np.bincount(found.labels).min() >= 9


@pytest.mark.parametrize(("n", "few", "many"), [(120, 5, 16), (400, 12, 36), (1500, 25, 75)])
def test_answers_without_clear_groups_get_the_size_of_a_usual_codeframe(n: int, few: int, many: int) -> None:
    cloud, _ = blobs(1, n, spread=30.0)
    texts = [f"word{n}" for n in range(n)]

    found = cluster(cloud, ones(cloud), n_clusters=Automatic(usual=usual_codes(texts))).n_clusters

    assert few <= found <= many
    assert few <= np.mean(likely_clusters(texts)) <= many


def test_answers_to_one_narrow_question_have_fewer_usual_codes() -> None:
    about = ["parking", "meals", "nurses", "pay", "queues", "noise"]
    broad = [f"The {about[n % 6]} {n}" for n in range(300)]
    narrow = [f"Vaccines are {about[n % 6]} {n}" for n in range(300)]

    assert usual_codes(narrow) < 0.7 * usual_codes(broad)
    assert usual_codes(broad[:100]) < 0.6 * usual_codes(broad)
    assert usual_codes([]) == 0.0


def test_clusters_are_numbered_from_the_largest() -> None:
    vectors, truth = blobs(3, 20)
    weights = np.where(truth == 1, 50, 1).astype(np.int32)

    found = cluster(vectors, weights, n_clusters=3)

    masses = np.bincount(found.labels, weights=weights)
    assert masses.tolist() == sorted(masses, reverse=True)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 9))
def test_the_same_vectors_give_the_same_bytes(seed: int, k: int) -> None:
    vectors, _ = blobs(5, 12, spread=1.0, seed=seed)

    first, second = (cluster(vectors, ones(vectors), n_clusters=k) for _ in range(2))

    assert first.labels.tobytes() == second.labels.tobytes()
    assert first.affinity.tobytes() == second.affinity.tobytes()


def test_neighbours_found_by_cells_are_nearly_all_the_true_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = blobs(40, 150, spread=1.2)
    exact = neighbours.nearest(vectors, 10)

    monkeypatch.setattr(neighbours, "EXACT", 1000)
    by_cells = neighbours.nearest(vectors, 10)

    shared = [len(set(a) & set(b)) for a, b in zip(exact.tolist(), by_cells.tolist(), strict=True)]
    assert np.mean(shared) / 10 > 0.85
    assert all(row not in near for row, near in enumerate(by_cells.tolist()))


def test_smoothing_of_many_vectors_keeps_its_rounds_in_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(20_000, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    near = random.integers(0, len(vectors), size=(len(vectors), 15)).astype(np.int32)
    whole = smoothing.smooth(vectors, near, rounds=2)
    monkeypatch.setattr(smoothing, "EXACT", 1000)
    monkeypatch.setattr(smoothing, "BLOCK", 64)
    tracemalloc.start()

    by_half = smoothing.smooth(vectors, near, rounds=2)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / len(vectors) < 1350  # bytes a row: 512 the result, 256 the round before, the rest is the graph
    assert by_half.dtype == np.float32
    assert np.abs(by_half - whole).max() < 1e-3


def test_a_small_topic_is_not_drawn_into_a_large_one_that_fills_its_neighbours() -> None:
    """Each answer measures nearness at its own scale: of its eight neighbours the two of its topic count most."""
    large, _ = blobs(1, 60, spread=0.05)
    small, _ = blobs(1, 3, spread=0.05, seed=1)
    vectors = np.concatenate([large, small])

    smoothed = smoothing.smooth(vectors, neighbours.nearest(vectors, 8), rounds=3)

    own, other = (topic.mean(axis=0) / np.linalg.norm(topic.mean(axis=0)) for topic in (small, large))
    assert (smoothed[60:] @ own).min() > 0.8
    assert (smoothed[60:] @ other).max() < 0.5


def test_many_vectors_are_clustered_alike_in_any_number_of_runs_and_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, truth = blobs(20, 150)
    monkeypatch.setattr(neighbours, "EXACT", 1000)
    monkeypatch.setattr(smoothing, "EXACT", 1000)

    first = cluster(vectors, ones(vectors), n_clusters=20)
    monkeypatch.setattr(neighbours, "BLOCK", 100)
    monkeypatch.setattr(smoothing, "BLOCK", 100)
    second = cluster(vectors, ones(vectors), n_clusters=20)

    assert adjusted_rand(truth, first.labels) > 0.95
    assert first.labels.tolist() == second.labels.tolist()


def test_matched_accuracy_counts_each_cluster_for_one_label_only() -> None:
    assert matched_accuracy([0, 0, 1, 1], [5, 5, 7, 7]) == 1.0
    assert matched_accuracy([0, 0, 1, 1], [5, 5, 5, 5]) == 0.5
    assert matched_accuracy([0, 0, 0, 0], [1, 2, 3, 4]) == 0.25
