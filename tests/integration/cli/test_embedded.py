"""The command on servers of its own: started and stopped by it, interrupted, killed, and shared with other commands."""

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.cli.command import Holdfast

from holdfast.embedded.processes import processes_naming, wait_until

SLOWLY = {"HOLDFAST_LABEL_PACE": "0.9", "HOLDFAST_CONCURRENCY": "2"}
IN_THE_MIDDLE = r"labelling clusters · [1-9]\d* of 12 clusters"


@pytest.fixture
def home(own_folder: Path) -> Path:
    return own_folder / "home"


@pytest.fixture
def holdfast(home: Path) -> Holdfast:
    """The command with nothing given but a data folder."""
    return Holdfast(HOLDFAST_HOME=str(home), HOLDFAST_RECONCILE_SECONDS="0.5")


def left_running(home: Path) -> list[int]:
    return [process.pid for process in processes_naming(lambda words: any(w.startswith(f"{home}/") for w in words))]


@pytest.mark.parametrize("made", [".", "postgres/data", "redis/redis.conf"])
def test_ctrl_c_while_the_servers_start_leaves_nothing_running(
    holdfast: Holdfast, home: Path, real_answers: Callable[[int], Path], made: str
) -> None:
    with holdfast.started("generate", real_answers(60), "--out", home.with_name("out.csv")) as running:
        assert wait_until((home / made).exists, limit=60)
        running.send(signal.SIGINT)

        done = running.end()

    assert (done.code, done.err) == (130, "")
    assert "generation " not in done.out
    assert left_running(home) == []


@pytest.mark.parametrize("signals", [2, 3])
def test_who_insists_while_the_servers_start_leaves_at_most_what_the_next_command_stops(
    holdfast: Holdfast, home: Path, real_answers: Callable[[int], Path], signals: int
) -> None:
    with holdfast.started("generate", real_answers(60), "--out", home.with_name("out.csv")) as running:
        assert wait_until((home / "postgres").exists, limit=60)
        for _ in range(signals):
            running.send(signal.SIGINT)

        done = running.end()

    assert (done.code, done.err) == (130, "")
    assert holdfast.run("resume").code == 2  # there is nothing to go on with
    assert left_running(home) == []


@pytest.mark.timeout(240)
def test_a_generation_killed_on_its_own_servers_is_gone_on_with(
    holdfast: Holdfast, home: Path, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    with holdfast.started("generate", real_answers(200), "--clusters=12", "--out", out, **SLOWLY) as running:
        running.until(IN_THE_MIDDLE)
        running.send(signal.SIGKILL)
        running.end()
    assert left_running(home) != []  # adopted by the next command

    resumed = holdfast.run("resume")

    assert resumed.code == 0, resumed.err
    assert len(out.read_text("utf-8").splitlines()) >= 201
    assert left_running(home) == []


@pytest.mark.timeout(240)
def test_a_worker_keeps_the_servers_when_the_command_that_started_them_ends(
    holdfast: Holdfast, home: Path, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    with holdfast.started("generate", real_answers(200), "--clusters=12", "--out", out, **SLOWLY) as owner:
        generation_id = re.findall(r"\S+$", owner.until("^generation "))[0]
        with holdfast.started("worker", HOLDFAST_LOG="json", **SLOWLY) as worker:
            worker.err.until("resuming pending jobs")
            owner.until(IN_THE_MIDDLE)
            owner.send(signal.SIGINT)
            stopped = owner.end()
            status = ""
            while "completed, 100 %" not in status:
                looked = holdfast.run("status", generation_id)  # it may own the servers for its moment
                status = looked.out
                assert looked.code == 0, looked.err
            worker.send(signal.SIGTERM)
            ended = worker.end()

    assert (stopped.code, stopped.err) == (130, "")
    assert ended.code == 0
    assert "Unavailable" not in ended.err
    assert left_running(home) == []
