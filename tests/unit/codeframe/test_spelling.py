"""Edits are counted as a person would, and the index finds every near key without comparing all."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.codeframe.spelling import Neighbourhood, apart, distance, reach

WORDS = st.text("abcd", min_size=1, max_size=14)


@pytest.mark.parametrize(
    ("a", "b", "edits"),
    [("pepsi", "pepsi", 0), ("pepsi", "pespi", 1), ("pepsi", "pesi", 1), ("pepsi", "peppsi", 1), ("pepsi", "pepsa", 1),
     ("adidas", "addidsa", 2), ("abc", "xyz", 3)],
)  # fmt: skip
def test_edits_are_counted(a: str, b: str, edits: int) -> None:
    assert distance(a, b, most=5) == distance(b, a, most=5) == edits


@given(WORDS, WORDS, st.integers(0, 3))
def test_a_bound_only_cuts_off_what_is_beyond_it(a: str, b: str, most: int) -> None:
    assert distance(a, b, most=most) == min(distance(a, b, most=20), most + 1)


def test_short_names_have_no_neighbours() -> None:
    assert [reach(n) for n in (1, 3, 4, 7, 8, 30)] == [0, 0, 1, 1, 2, 2]
    assert apart("lg", "hp") is apart("bmw", "bmv") is None
    assert apart("windows10", "windows11") is None


@settings(deadline=None, max_examples=60)
@given(st.sets(WORDS, max_size=40), WORDS)
def test_the_index_finds_what_comparing_all_finds(keys: set[str], key: str) -> None:
    everywhere = sorted((edits, other) for other in keys - {key} if (edits := apart(key, other)) is not None)

    assert Neighbourhood(sorted(keys)).near(key) == everywhere


def test_a_slip_in_a_long_name_is_found() -> None:
    rng = random.Random(3)
    for _ in range(300):
        name = "".join(rng.choices("abcdefghijklmnop", k=rng.randint(8, 34)))
        place = rng.randrange(len(name) - 1)
        slip = name[:place] + name[place + 1] + name[place] + name[place + 2 :]
        if slip != name:
            assert Neighbourhood([name]).near(slip) == [(1, name)]
