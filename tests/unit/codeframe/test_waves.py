"""The next wave: what its answers are coded to, what is new among them, and when two waves can be compared."""

import zlib
from collections.abc import Callable, Sequence

import numpy as np

from holdfast.codeframe import KnownCode, Taught, Vectors, code_wave, compared_with, drift, weak_examples

CODES = [
    KnownCode(number=7, name="Parking", description=""),
    KnownCode(number=3, name="Friendly staff", description=""),
    KnownCode(number=12, name="Cold food", description=""),
]
PLACES = ("today", "monday", "again", "always", "upstairs", "late", "here", "there", "twice", "ward")


class Words:
    """Each word a direction of its own; a text is where its words point together."""

    name, dim, whole_corpus = "words", 96, False

    def embed(self, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None) -> Vectors:
        said = [[_direction(word) for word in text.lower().replace(".", "").split()] for text in texts]
        summed = np.array([np.sum(words, axis=0) if words else np.zeros(self.dim) for words in said])
        return np.asarray(summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _direction(word: str) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=Words.dim)


def about(thing: str, n: int) -> list[str]:
    return [f"{thing} {PLACES[k % 10]} {PLACES[(k // 10 + k + 1) % 10]}" for k in range(n)]


def taught() -> list[Taught]:
    said = {7: "parking expensive parking", 3: "friendly staff friendly", 12: "cold food cold"}
    return [Taught(text=text, numbers=(number,)) for number, thing in said.items() for text in about(thing, 10)]


def test_what_is_near_no_code_is_other_and_what_of_it_says_the_same_is_a_new_theme() -> None:
    strange = about("broken lift elevator broken", 60)
    answers = [*about("parking expensive parking", 30), *about("cold food cold", 30), *strange, "n/a", ""]

    found = code_wave(answers, CODES, taught(), Words())

    assert set(found.now.numbers[:30]) == {(7,)}
    assert set(found.now.numbers[30:60]) == {(12,)}
    assert np.mean([not codes for codes in found.now.numbers[60:120]]) > 0.9
    assert found.now.complete[120:] == [(999,), (999,)]
    assert found.now.scores[120:] == ((), ())
    assert sum(theme.n_answers for theme in found.themes) > 50
    assert {"lift", "elevator", "broken"} & set(found.themes[0].name.lower().split())
    assert set(found.themes[0].quotes) <= set(strange)


def test_few_strange_answers_are_no_new_theme() -> None:
    found = code_wave([*about("parking expensive parking", 30), *about("broken lift", 5)], CODES, taught(), Words())

    assert found.themes == ()


def test_last_wave_s_strange_answers_are_no_new_theme_of_this_one() -> None:
    strange = about("broken lift elevator broken", 60)

    found = code_wave(about("parking expensive parking", 30), CODES, taught(), Words(), before=strange)

    assert found.themes == ()
    assert np.mean([not codes for codes in found.then.numbers]) > 0.9


def test_waves_that_say_the_same_have_not_moved_whoever_coded_the_last_one() -> None:
    said = [
        *about("parking expensive parking", 60),
        *about("friendly staff friendly", 60),
        *about("cold food cold", 60),
    ]
    mixed = [f"{text} {place}" for text in about("parking staff", 10) for place in PLACES]
    by_a_person = [*[(7,)] * 60, *[(3,)] * 60, *[(12,)] * 60, *[(7,)] * 100]  # whoever parks writes of parking

    found = code_wave([*said, *mixed], CODES, taught(), Words(), before=[*said, *mixed])

    assert any(each.p < 0.05 for each in drift(by_a_person, found.now.complete)), "two coders would seem a change"
    assert {each.p for each in drift(found.then.complete, found.now.complete)} == {1.0}


def test_a_wave_that_says_other_things_has_moved() -> None:
    before = [*about("parking expensive parking", 50), *about("cold food cold", 50)]
    now = [*about("parking expensive parking", 20), *about("cold food cold", 80)]

    found = code_wave(now, CODES, taught(), Words(), before=before)

    assert {each.number for each in drift(found.then.complete, found.now.complete) if each.p < 0.01} == {7, 12}


def test_machine_coded_answers_teach_only_what_few_confirmed_ones_do() -> None:
    coded = [Taught(text=f"{number} {n}", numbers=(number,)) for number in (3, 7) for n in range(40)]
    coded.append(Taught(text="both", numbers=(3, 7)))
    confirmed = [Taught(text=f"sure {n}", numbers=(7,)) for n in range(15)]

    found = weak_examples(coded, confirmed)

    assert [sum(each.numbers == (number,) for each in found) for number in (3, 7)] == [20, 5]
    assert "both" not in {each.text for each in found}
    assert found == weak_examples(coded[::-1], confirmed)


def test_what_is_confirmed_comes_before_what_the_machine_said_of_the_same_answer() -> None:
    said = about("parking expensive parking", 30)
    confirmed = Taught(text=said[0], numbers=(3,))

    found = code_wave(said, CODES, [confirmed, *(Taught(text=text, numbers=(7,)) for text in said)], Words())

    assert found.now.numbers[0] == (3,)


def test_of_many_old_answers_an_even_sample_is_compared_whatever_their_order() -> None:
    texts = [f"answer {n % 977}" for n in range(30_000)]

    found = compared_with(texts)

    assert len(found) == 10_000
    assert len(set(found)) > 900
    assert found == compared_with(texts[::-1])
    assert compared_with(texts[:50]) == texts[:50]
