"""What answers are grouped by: their vectors and their words."""

import numpy as np
import pytest

from holdfast.codeframe import wording
from holdfast.codeframe.values import Vectors
from holdfast.codeframe.wording import worded

CARS = [f"{car} {verb} {n}" for car in ("volvo", "skoda") for verb in ("drives", "is") for n in ("well", "badly", "so")]


def alike(n: int, width: int = 8) -> Vectors:
    """Rows that an encoder cannot tell apart."""
    return np.tile(np.eye(width, dtype=np.float32)[0], (n, 1))


def test_names_that_the_vectors_do_not_know_part_the_answers() -> None:
    found = worded(alike(len(CARS)), CARS)

    similar = found @ found.T
    volvo = np.arange(len(CARS)) < len(CARS) // 2
    assert similar[np.ix_(volvo, volvo)].mean() > similar[np.ix_(volvo, ~volvo)].mean() + 0.02


def test_the_meaning_counts_more_than_the_words() -> None:
    vectors = alike(len(CARS))
    vectors[::2] = np.eye(8, dtype=np.float32)[1]

    found = worded(vectors, CARS)

    similar = found @ found.T
    even = np.arange(len(CARS)) % 2 == 0
    assert similar[np.ix_(even, even)].min() > similar[np.ix_(even, ~even)].max()


def test_rows_are_of_length_one_and_of_the_width_that_is_kept() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(300, 200)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    found = worded(vectors, [f"{CARS[n % len(CARS)]} {n}" for n in range(300)])

    assert found.shape == (300, wording.WIDTH)
    assert np.allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)


def test_texts_without_words_and_one_text_alone_keep_their_vectors_angles() -> None:
    vectors = np.eye(4, dtype=np.float32)[[0, 0, 1]]

    found = worded(vectors, ["!!!", "???", "..."])

    assert np.allclose(found @ found.T, vectors @ vectors.T, atol=1e-6)
    assert worded(vectors[:1], ["one"]).shape[0] == 1


def test_what_is_learned_from_a_part_of_many_texts_reads_all(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{CARS[n % len(CARS)]} {n % 50}" for n in range(400)]
    monkeypatch.setattr(wording, "FITTED", 100)
    monkeypatch.setattr(wording, "BLOCK", 64)

    part = worded(alike(400), texts)

    volvo = np.array(["volvo" in text for text in texts])
    similar = part @ part.T
    assert similar[np.ix_(volvo, volvo)].mean() > similar[np.ix_(volvo, ~volvo)].mean()
