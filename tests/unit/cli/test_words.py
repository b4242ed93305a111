"""Figures and strangers' texts as they are shown."""

from decimal import Decimal

import pytest

from holdfast.cli.words import counted, dollars, duration, plain


@pytest.mark.parametrize(
    ("text", "shown"), [("a\x1b[31mb", "a [31mb"), ("a\r\n\tb\0c", "a b c"), ("  é 日本 ", "é 日本")]
)
def test_a_strangers_text_cannot_move_the_cursor(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_long_text_is_cut_to_its_room() -> None:
    assert plain("word " * 100, 12) == "word word w…"


@pytest.mark.parametrize(
    ("amount", "shown"), [("0", "$0.00"), ("0.00042", "$0.0004"), ("0.5", "$0.5000"), ("15.126", "$15.13")]
)
def test_money_is_shown_finer_below_a_dollar(amount: str, shown: str) -> None:
    assert dollars(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0 s"), (99.4, "99 s"), (99.6, "1 min 40 s"), (3599, "59 min 59 s"), (7260, "2:01 h")]
)
def test_time_is_said_in_the_unit_that_fits(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_one_is_not_many() -> None:
    assert [counted(1, "code"), counted(2, "code"), counted(1000, "answer")] == ["1 code", "2 codes", "1,000 answers"]
