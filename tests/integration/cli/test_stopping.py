"""Ctrl-C while a stage computes in a thread, where nothing can be cancelled."""

import csv
import random
import signal
import time
from pathlib import Path

from tests.integration.cli.command import Holdfast

AT_ONCE = 15.0  # seconds; the stage takes minutes


def long_answers(path: Path, *, number: int = 100, characters: int = 50_000) -> Path:
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 9))) for _ in range(3000)]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = ([number, " ".join(chance.choices(words, k=characters // 7))] for number in range(number))
        csv.writer(file).writerows([["id", "answer"], *rows])
    return path


def test_a_second_ctrl_c_ends_it_although_long_answers_are_being_embedded(holdfast: Holdfast, tmp_path: Path) -> None:
    file = long_answers(tmp_path / "long.csv")

    with holdfast.started("generate", file, "--out", tmp_path / "out.csv") as running:
        running.until("embedding the answers")
        running.send(signal.SIGINT)
        running.until("stopping: ")
        running.send(signal.SIGINT)
        insisted_at = time.monotonic()
        ended = running.end()

    assert time.monotonic() - insisted_at < AT_ONCE
    assert ended.code == 130
    assert "Traceback" not in ended.err
