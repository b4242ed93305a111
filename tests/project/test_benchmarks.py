"""The queue's benchmarks: their tables are those of the committed rows, and what makes both can be trusted."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
SCRIPTS = ("queue_throughput", "queue_faults")
MACHINE = {
    "cpu": "A processor",
    "cores": 2,
    "system": "Linux",
    "redis": "7",
    "python": "3.11",
    "commit": "abc",
    "date": "2026-01-01",
    "packages": {"bull": {"node": "v20.0.0"}},
}


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of benchmarks/queue_driver, as the scripts see them."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    names = ("catalogue", "environments", "fault_tables", "faults", "measures", "rows", "server", "throughput_tables")
    return SimpleNamespace(**{name: _module(name) for name in names})


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"queue_driver.{name}")


def _run(script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(BENCHMARKS / f"{script}.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("script", [*SCRIPTS, "codeframe_quality", "generation_overhead"])
def test_every_benchmark_explains_itself(script: str) -> None:
    told = _run(script, "--help")

    assert told.returncode == 0, told.stderr
    assert "usage:" in told.stdout


@pytest.mark.parametrize("script", [*SCRIPTS, "generation_overhead"])
def test_the_readme_s_table_is_what_the_committed_rows_give(script: str) -> None:
    told = _run(script, "--check")

    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_unknown_peer_is_refused_with_the_names_there_are(script: str) -> None:
    told = _run(script, "--peers", "holdfast,nobody")

    assert told.returncode == 2
    assert "nobody" in told.stderr
    assert "bullmq" in told.stderr


def test_every_peer_has_a_program_and_pinned_packages(driver: SimpleNamespace) -> None:
    for peer in driver.catalogue.PEERS:
        assert (BENCHMARKS / "queue_peers" / peer.program).is_file(), peer.name
        pins = [package for package in peer.packages if "==" in package or "@" in package]
        assert pins[0] == peer.packages[0], f"{peer.name}: {peer.packages[0]} is not pinned"
        assert peer.left or peer.pending_groups, f"{peer.name}: nothing says what is left"


def _rate(peer: str, figure: float, **more: Any) -> dict[str, Any]:
    about = {"measure": "rate", "fsync": "everysec", "concurrency": 10, "workers": 1, "waiting": 10_000}
    return {"peer": peer, **about, "jobs_per_second": figure, **more}


def test_a_peer_s_figure_shows_how_many_times_better_ours_is(driver: SimpleNamespace) -> None:
    rows = [_rate("holdfast", figure) for figure in (90, 30_000, 31_000)] + [_rate("bull", 12_000)]
    rows += [{"peer": peer, "measure": "pick-up", "p50_ms": ms} for peer, ms in (("holdfast", 1.0), ("bull", 2.5))]

    text = driver.throughput_tables.report({"machine": MACHINE, "repeat": 3, "rows": rows})

    assert "| Holdfast | 30,000 |" in text  # the median
    assert "| Bull (Node) | 12,000 (2.5x) |" in text
    assert "| Bull (Node) | 2.5 (2.5x) |" in text  # fewer milliseconds are better
    assert "A processor, 2 cores" in text


def test_what_failed_or_took_too_long_is_in_the_table_too(driver: SimpleNamespace) -> None:
    failed = _rate("bull", 0.0) | {"error": "the worker ended (1): boom"}
    del failed["jobs_per_second"]
    slow = {"peer": "bull", "measure": "take-over", "fsync": "everysec", "limit": 90.0, "last_s": None}
    rows = [_rate("holdfast", 30_000), failed, slow, slow | {"peer": "holdfast", "last_s": 3.0}, _rate("huey", 1_000)]

    text = driver.throughput_tables.report({"machine": MACHINE, "repeat": 1, "rows": rows})

    assert "| Bull (Node) | error |" in text
    assert "| Bull (Node) | > 90 |" in text
    assert "| Huey | none |" in text
    assert "boom" in text


def test_a_measurement_that_breaks_gives_a_row_with_its_error(driver: SimpleNamespace) -> None:
    def broken() -> dict[str, Any]:
        raise OSError("no such\nprogram")

    row = driver.rows.measure({"peer": "bull"}, broken)

    assert (row["peer"], row["error"]) == ("bull", "OSError: no such program")


def test_the_fault_table_tells_lost_stuck_and_run_again_apart(driver: SimpleNamespace) -> None:
    row = {
        "peer": "bull",
        "fault": "worker-killed",
        "jobs": 4,
        "runs": 6,
        "run_again": 2,
        "done_twice": 1,
        "lost": 3,
        "stuck": 7,
        "count_off": None,
        "resumed_s": 8.25,
        "refused": 5,
        "refusal": "QueueError: no",
    }

    text = driver.fault_tables.report({"machine": MACHINE, "limit": 60.0, "rows": [row]})

    assert "| Bull (Node) | 4 | 1.5 | 2 | 1 | 3 | 7 | – | 8.25 |" in text  # noqa: RUF001 - what the table shows
    assert "5 adds not acknowledged: QueueError: no" in text


def test_a_story_counts_what_the_witness_files_say(driver: SimpleNamespace, tmp_path: Path) -> None:
    lines = ["1 start 9 1000000000", "1 end 9 2000000000", "2 start 9 3000000000", "3 start 9 3000000000"]
    again = ["2 start 8 7500000000", "2 end 8 8000000000", "1 start 8 9000000000", "1 end 8 9100000000"]
    workers = [SimpleNamespace(lines=lambda: lines), SimpleNamespace(lines=lambda: again)]
    server = SimpleNamespace(sum=lambda _commands: 3, left=lambda _peer: 1)
    subject = SimpleNamespace(peer=driver.catalogue.BY_NAME["bull"], server=server)
    story = driver.faults.Story(subject, tmp_path, None, 60.0, workers=workers, told={1, 2, 3, 4}, faulted_at=5.0)

    figures = story.figures(story.resumed({2}))

    assert figures == {
        "jobs": 4,
        "runs": 5,
        "most_runs": 2,
        "run_again": 2,
        "done_twice": 1,
        "not_done": 2,
        "stuck": 1,
        "lost": 1,
        "count_off": 0,
        "resumed_s": 2.5,
    }
    assert story.resumed({2, 3}) is None


def test_rows_are_kept_one_a_line_and_read_again(driver: SimpleNamespace, tmp_path: Path) -> None:
    rows = [{"peer": "bull", "n": 1}, {"peer": "huey", "n": 2}]

    driver.rows.save(tmp_path / "new" / "rows.json", MACHINE, rows, repeat=3)

    text = (tmp_path / "new" / "rows.json").read_text()
    assert driver.rows.load(tmp_path / "new" / "rows.json") == {"machine": MACHINE, "repeat": 3, "rows": rows}
    assert f"  {json.dumps(rows[0])},\n" in text


def test_ours_is_measured_on_a_redis_that_goes_with_the_benchmark(driver: SimpleNamespace) -> None:
    program = BENCHMARKS / "queue_peers" / "with_holdfast.py"
    environment = driver.environments.Environment((sys.executable, str(program)), {}, {})

    with driver.server.Server(fsync="always") as server:
        subject = driver.measures.Subject(driver.catalogue.BY_NAME["holdfast"], environment, server)
        added = driver.measures.adds(subject, how="bulk", count=200, seconds=5.0)
        rate = driver.measures.rate(subject, concurrency=10, workers=1, waiting=2_000, window=20.0)

    assert added["measured_jobs"] == 180
    assert rate["runs"] == 2_000
    assert rate["jobs_per_second"] > 0
    assert 1 <= rate["commands_per_job"] < 50
    assert not server.folder.exists()
