"""The codeframe benchmarks: their tables are those of the committed rows, and each peer is scored as it delivers."""

import gzip
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
MACHINE = {
    "cpu": "A processor",
    "cores": 2,
    "system": "Linux",
    "python": "3.11",
    "commit": "abc",
    "date": "2026-01-01",
    "load_before": 0.5,
    "packages": {"evoc": {"evoc": "0.3.2"}},
}


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of benchmarks/codeframe_driver, as the scripts see them."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    names = ("catalogue", "recombined", "runs", "sets", "tables")
    return SimpleNamespace(**{name: importlib.import_module(f"codeframe_driver.{name}") for name in names})


def _quality(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(BENCHMARKS / "codeframe_quality.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _survey(driver: SimpleNamespace) -> Any:
    """Ninety answers about three things, a third of them not coded by anybody."""
    random = np.random.default_rng(0)
    about = np.arange(90) % 3
    vectors = random.normal(size=(3, 24))[about] + 0.2 * random.normal(size=(90, 24))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    words = ("parking", "nurses", "food")
    texts = [f"the {words[n]} was very good on day {day}" for day, n in enumerate(about)]
    labels = [words[n] if day < 60 else "" for day, n in enumerate(about)]
    return driver.sets.Survey(texts=texts, labels=labels, vectors=vectors.astype(np.float32))


@pytest.mark.parametrize("script", ["codeframe_quality", "codeframe_scale", "codeframe_examples"])
def test_the_readme_s_tables_are_what_the_committed_rows_give(script: str) -> None:
    command = [sys.executable, str(BENCHMARKS / f"{script}.py"), "--check"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert told.returncode == 0, told.stderr


def test_recombined_answers_are_all_different_and_the_same_each_time(driver: SimpleNamespace, tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        driver.recombined.write(ROOT / "src" / "holdfast" / "demo" / "answers.csv", tmp_path / name, 3000)

    lines = (tmp_path / "one.csv").read_text(encoding="utf-8").splitlines()

    assert (tmp_path / "two.csv").read_text(encoding="utf-8").splitlines() == lines
    assert len(lines) == len(set(lines)) == 3001


def test_more_answers_than_a_file_can_give_are_refused_with_what_to_do(driver: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("text\nthe food was good\nthe staff were kind\n")

    with pytest.raises(ValueError, match="name a larger file"):
        driver.recombined.write(tmp_path / "few.csv", tmp_path / "out.csv", 100)


def test_the_offline_pipeline_is_timed_stage_by_stage_and_codes_every_row(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "codeframe_scale.py"), "--sizes", "120", "--embedder", "lsa"]
    told = subprocess.run(
        [*command, "--out", str(tmp_path / "rows.json")], capture_output=True, text=True, timeout=100, check=False
    )

    assert told.returncode == 0, told.stderr
    (row,) = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert row["rows"] == row["answers"] == 120
    assert sum(row[f"{stage}_s"] for stage in ("read", "embed", "cluster", "label", "assemble")) <= row["seconds"] + 0.1
    assert row["peak_mb"] > 10


def test_an_unknown_peer_of_the_codeframes_is_refused_with_the_names_there_are() -> None:
    told = _quality("folder", "--peers", "holdfast,nobody")

    assert told.returncode == 2
    assert "nobody" in told.stderr
    assert "bertopic" in told.stderr


def test_every_peer_of_the_codeframes_has_a_program_and_pinned_packages(driver: SimpleNamespace) -> None:
    for peer in driver.catalogue.PEERS:
        assert (BENCHMARKS / "codeframe_peers" / peer.program).is_file(), peer.name
        for package in (name for install in peer.installs for name in install if not name.startswith("--")):
            assert "==" in package, f"{peer.name}: {package} is not pinned"


def test_answers_left_without_a_group_are_scored_as_one_group_more(driver: SimpleNamespace) -> None:
    survey = _survey(driver)
    groups = [n % 3 if n < 30 else -1 for n in range(90)]

    figures = driver.runs.score(survey, {"groups": groups, "seconds": 2.0})

    assert figures["unassigned"] == pytest.approx(60 / 90)
    assert figures["k_ratio"] == 1.0  # those without a group are no code
    assert figures["acc"] == pytest.approx((10 + 10 + 10) / 60)  # of the coded rows: one code is matched to the rest
    assert 0 < figures["ari"] < 0.5
    assert figures["seconds"] == 2.0


def test_ours_is_run_in_a_process_of_its_own_and_ignores_the_order_of_rows(
    driver: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PEER_MODELS", str(tmp_path))
    monkeypatch.setenv("PEER_EMBEDDER", "lsa")
    ours = driver.catalogue.BY_NAME["holdfast-k"]

    row = driver.runs.row(ours, driver.catalogue.prepare(ours, tmp_path), [_survey(driver)], limit=100)

    assert row["ari"] > 0.9
    assert row["shuffled_ari"] == 1.0
    assert (row["surveys"], row["failed"]) == (1, 0)
    assert row["peak_mb"] > 10


def test_a_survey_that_a_peer_cannot_do_is_left_out_of_its_means_and_named(
    driver: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey = _survey(driver)
    answered = {"groups": [n % 3 for n in range(90)], "seconds": 1.0}
    found = driver.runs.Found(surveys=[answered, {"error": "ValueError: too few"}], peak_mb=50.0)
    monkeypatch.setattr(driver.runs, "run", lambda *_, **__: found)
    monkeypatch.setattr(driver.runs, "shuffled", lambda *_, **__: 0.5)
    about = {"set": "small", "peer": "evoc", "answers": 180, "human_codes": 3.0, "load": 2.0}

    row = about | driver.runs.row(driver.catalogue.BY_NAME["evoc"], None, [survey, survey])
    text = driver.tables.report({"machine": MACHINE, "rows": [row]})

    assert row["ari"] == 1.0
    assert "| EVoC | 1.000 | 1.000 | 1.000 | 1.000 | 1.00 | 0.0% | 0.50 | 1 | 50 |" in text
    assert "EVoC could not do 1 of the surveys" in text
    assert "ValueError: too few" in text


def test_a_peer_that_fails_keeps_its_line_in_the_table(driver: SimpleNamespace) -> None:
    row = {"set": "one", "peer": "bertopic", "answers": 9, "human_codes": 3.0, "error": "took longer than 1 s"}

    text = driver.tables.report({"machine": MACHINE, "rows": [row]})

    assert "| BERTopic | error |" in text
    assert "took longer than 1 s" in text


def test_a_quick_run_samples_the_same_rows_each_time(driver: SimpleNamespace, tmp_path: Path) -> None:
    file = tmp_path / "set.csv.gz"
    with gzip.open(file, "wt", encoding="utf-8") as lines:
        lines.write("text,label,group\n")
        lines.writelines(f"answer {n},{'ab'[n % 2]},{n % 3}\n" for n in range(60))
        lines.write("alone,a,lonely\n")  # one code: nothing to tell apart

    first, second = (driver.sets.read(file, most_rows=10, most_surveys=2) for _ in range(2))

    assert json.dumps(first) == json.dumps(second)
    assert [len(rows) for rows in first] == [10, 10]
    assert len(driver.sets.read(file)) == 3
