"""`holdfast generate --coding-type`: brands and sentiments from a file to a coded table."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest
from tests.integration.cli.command import Holdfast

DRINKS = [
    *["coca cola"] * 8, *["Coca-Cola"] * 4, "cocacola!!", "coca cla", *["pepsi"] * 6, "Pepsi, Fanta", "pepsi and coke",
    "asdfgh", "don't know", "",
]  # fmt: skip


def written(path: Path, rows: Sequence[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "answer"], *([n, row] for n, row in enumerate(rows))])
    return path


def test_brands_become_a_workbook_with_every_answer_s_brands(holdfast: Holdfast, tmp_path: Path) -> None:
    answers, out = written(tmp_path / "drinks.csv", DRINKS), tmp_path / "brands.xlsx"

    done = holdfast.run(
        "generate", answers, "--text-column", "answer", "--coding-type", "brand",
        "--existing-code", "Coca-Cola (Coke)", "--existing-code", "Sprite", "--out", out,
    )  # fmt: skip

    assert (done.code, done.err) == (0, "")
    book = openpyxl.load_workbook(out, read_only=True)
    rows = [row[1:5] for row in book["answers"].iter_rows(min_row=2, values_only=True)]
    assert [row[0] or "" for row in rows] == DRINKS
    assert {row[2] for row in rows[:14]} == {"Coca-Cola"}
    assert rows[20][1:] == ("Verified", "Pepsi", "Pepsi|Fanta")
    assert rows[21][3] == "Pepsi|Coca-Cola"
    assert [row[1:3] for row in rows[22:]] == [
        ("Spam", "Unintelligible"), ("Spam", "Don't know"), ("Spam", "No answer"),
    ]  # fmt: skip
    frame = {row[3] or row[2]: row for row in book["codeframe"].iter_rows(min_row=2, values_only=True)}
    assert frame["Coca-Cola"][4].startswith("In your list; named in 15 answers.")
    assert (frame["Sprite"][5], frame["Fanta"][2]) == (0, "Review")


def test_sentiments_of_real_answers_are_three_codes(
    holdfast: Holdfast, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "sentiment.json"

    done = holdfast.run(
        "generate", real_answers(200), "--text-column", "answer", "--coding-type", "sentiment", "--out", out
    )

    assert (done.code, done.err) == (0, "")
    table = json.loads(out.read_text("utf-8"))
    assert len(table["answers"]) == 200
    assert {"Positive", "Neutral or mixed", "Negative"} <= {answer["code"] for answer in table["answers"]}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--coding-type", "brand", "--clusters", "5"), "brand coding makes no clusters"),
        (("--coding-type", "brand", "--hierarchy", "three_level"), "must be adaptive, flat or two_level"),
        (("--coding-type", "sentiment", "--existing-code", "Good"), "three codes of its own"),
        (("--coding-type", "sentiment", "--model", "openai:gpt-4o-mini", "--review"), "no themes to review"),
    ],
)
def test_what_does_not_go_with_a_coding_is_refused(
    holdfast: Holdfast, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    answers = written(tmp_path / "drinks.csv", DRINKS)

    done = holdfast.run("generate", answers, *options, "--out", tmp_path / "out.csv")

    assert done.code == 2
    assert told in " ".join(done.err.split())


def test_a_report_of_brands_says_why_it_has_no_map(holdfast: Holdfast, tmp_path: Path) -> None:
    answers, out = written(tmp_path / "drinks.csv", DRINKS), tmp_path / "brands.html"

    done = holdfast.run("generate", answers, "--text-column", "answer", "--coding-type", "brand", "--out", out)

    assert done.code == 0
    assert "no answer is compared with another" in " ".join(done.out.split())
    assert "Coca" in out.read_text("utf-8")
