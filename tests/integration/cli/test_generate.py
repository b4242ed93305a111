"""From a file to a coded table, in one command."""

import csv
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE

import openpyxl
from tests.integration.cli.command import Holdfast


def test_a_thousand_real_answers_become_a_workbook_with_every_answer_coded(
    holdfast: Holdfast, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    answers, out = real_answers(1000), tmp_path / "codeframe.xlsx"

    done = holdfast.run("generate", answers, "--text-column", "answer", "--out", out)

    assert (done.code, done.err) == (0, "")
    assert f"the coded table is {out}" in done.out
    assert "MECE score" in done.out
    book = openpyxl.load_workbook(out, read_only=True)
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert rows[0][:7] == ("id", "answer", "question", "theme", "code", "codes", "score")
    frame = [row[:4] for row in book["codeframe"].iter_rows(values_only=True)]
    assert list(rows[0][7:]) == [f"code_{number}: {code}" for number, _, _, code in frame[1:] if code]
    assert all(sum(row[7:]) == len(str(row[5]).split("|")) for row in rows[1:])
    given = list(csv.reader(answers.open(encoding="utf-8", newline="")))
    assert [str(row[0]) for row in rows[1:]] == [row[0] for row in given[1:]]
    assert all(row[4] for row in rows[1:])
    assert len(book.sheetnames) > 1


def test_a_json_table_has_the_codeframe_beside_the_answers(
    holdfast: Holdfast, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "codeframe.json"

    done = holdfast.run("generate", real_answers(120), "--out", out, "--clusters", "6", "--hierarchy", "flat")

    assert done.code == 0
    table = json.loads(out.read_text("utf-8"))
    assert len(table["answers"]) == 120
    assert table["codeframe"]


def test_the_same_seed_gives_the_same_table(
    holdfast: Holdfast, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    answers = real_answers(150)
    tables = []

    for name in ("one.csv", "two.csv"):
        done = holdfast.run("generate", answers, "--text-column=answer", "--clusters=8", "--out", tmp_path / name)
        assert done.code == 0
        tables.append((tmp_path / name).read_bytes())

    assert tables[0] == tables[1]


def test_answers_coded_by_hand_make_the_codeframe(holdfast: Holdfast, tmp_path: Path) -> None:
    answers, coded, out = (tmp_path / name for name in ("answers.csv", "by_hand.csv", "out.json"))
    said = {"Parking": "no space in the car park on day {n}", "Food": "the dinner of day {n} was cold"}
    rows = [(text.format(n=n), code) for n in range(20) for code, text in said.items()]
    answers.write_text("answer\n" + "".join(f"{text}\n" for text, _ in rows), "utf-8")
    coded.write_text("answer,codes\n" + "".join(f"{text},{code}\n" for text, code in rows[:12]), "utf-8")

    done = holdfast.run("generate", answers, "--examples", coded, "--out", out, "--no-progress")

    assert (done.code, done.err) == (0, "")
    table = json.loads(out.read_text("utf-8"))
    assert {row["code"] for row in table["codeframe"]} >= set(said), table["codeframe"][0]
    assert [row["code"] for row in table["answers"]] == [code for _, code in rows]


def test_no_progress_says_no_progress(holdfast: Holdfast, real_answers: Callable[[int], Path], tmp_path: Path) -> None:
    done = holdfast.run("generate", real_answers(60), "--out", tmp_path / "out.csv", "--no-progress")

    assert done.code == 0
    assert "labelling" not in done.out
    assert "the coded table is" in done.out


def test_a_terminal_gets_a_live_bar_and_the_table_s_place(
    holdfast: Holdfast, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "holdfast", "generate", str(real_answers(60)), "--clusters=4"]
    environment = holdfast.environment | {"TERM": "xterm-256color", "HOLDFAST_LABEL_PACE": "0.5", "COLUMNS": "120"}
    with subprocess.Popen([*command, "--out", str(tmp_path / "out.csv")], env=environment, stdout=theirs) as process:
        os.close(theirs)
        shown = "".join(iter(lambda: read_from(ours), ""))
    os.close(ours)

    assert process.returncode == 0
    assert "\x1b[2K" in shown  # lines are painted over
    assert "labelling clusters" in shown
    assert "━" in shown
    assert f"the coded table is {tmp_path}" in shown.replace("\r\n", "")


def read_from(terminal: int) -> str:
    try:
        return os.read(terminal, 65536).decode("utf-8", "replace")
    except OSError:  # what Linux says when the other end is closed
        return ""


def test_a_pipe_that_nobody_reads_any_more_ends_it_quietly(
    holdfast: Holdfast, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "holdfast", "generate", str(real_answers(60)), "--out", str(tmp_path / "out.csv")]
    with subprocess.Popen(command, env=holdfast.environment, stdout=PIPE, stderr=PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()

        assert (process.wait(), process.stderr.read()) == (1, "")
