"""Stability: whether the clusters come out again from other parts of the answers."""

import numpy as np

from holdfast.codeframe import Vectors, prepare
from holdfast.codeframe.stability import stability


def blobs(spread: float, *, k: int = 5, each: int = 30) -> Vectors:
    random = np.random.default_rng(0)
    made = np.repeat(random.normal(size=(k, 32)), each, axis=0) + spread * random.normal(size=(k * each, 32))
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def figure(vectors: Vectors, *, k: int = 5, seed: int = 0) -> float | None:
    """Of texts whose words say nothing of their topic."""
    texts = [f"{chr(97 + n % 26)}{chr(97 + n // 26)} answer" for n in range(len(vectors))]
    return stability(prepare(texts), vectors, k=k, seed=seed)


def test_clear_topics_come_out_again_and_a_cloud_does_not() -> None:
    clear, cloud = figure(blobs(0.3)), figure(blobs(20.0))

    assert clear is not None
    assert clear > 0.95
    assert cloud is not None
    assert cloud < 0.5


def test_the_figure_is_the_same_for_a_seed_and_draws_other_answers_for_another() -> None:
    found = {seed: figure(blobs(2.0), seed=seed) for seed in range(4)}

    assert found == {seed: figure(blobs(2.0), seed=seed) for seed in range(4)}
    assert len(set(found.values())) > 1


def test_one_cluster_or_a_handful_of_texts_has_no_figure() -> None:
    assert figure(blobs(0.3), k=1) is None
    assert figure(blobs(0.3, each=3)) is None
    assert figure(blobs(0.3, each=1), k=5) is None
