"""`holdfast demo`, as it is: real servers, real workers, real kills, and its own judgement."""

import json
import re
import signal
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
from tests.integration.cli.command import Holdfast

from holdfast.drill import clear_away


def left_running(home: Path) -> list[str]:
    """Processes that name the folder of a demo, or that were told of its servers."""
    processes = psutil.process_iter(["cmdline"])
    return [" ".join(process.info["cmdline"]) for process in processes if str(home) in str(process.info["cmdline"])]


@pytest.mark.timeout(240)
def test_the_demo_holds_and_leaves_nothing_behind(holdfast: Holdfast, home: Path) -> None:
    done = holdfast.run("demo")

    assert (done.code, done.err) == (0, "")
    assert re.search(r"worker \d+ killed \(SIGKILL\) with [1-9] labels? in its hands", done.out)
    assert re.search(r"redis-server \d+ killed \(SIGKILL\) with [1-9] labels? under way", done.out)
    assert re.search(
        r"owed (\d+) · done \1 · lost 0 · done twice 0 · in doubt (\d) \(repeated \2\)   IT HELD", done.out
    )
    assert max(len(line) for line in done.out.splitlines() if str(home) not in line) <= 100
    assert left_running(home) == []
    assert list((home / "demo").iterdir()) == []


@pytest.mark.timeout(240)
@pytest.mark.parametrize("signals", [1, pytest.param(2, marks=pytest.mark.long)])
def test_ctrl_c_ends_the_demo_and_its_workers(holdfast: Holdfast, home: Path, signals: int) -> None:
    with holdfast.started("demo") as running:
        workers = [int(pid) for pid in re.findall(r"worker (\d+)", running.until("each a process of its own"))]
        running.until("generation .* started")
        for _ in range(signals):
            running.send(signal.SIGINT)

        done = running.end()

    assert done.code == 130
    assert "Traceback" not in done.err
    assert not any(psutil.pid_exists(pid) for pid in workers)
    assert left_running(home) == []


@pytest.mark.timeout(240)
def test_a_demo_that_is_served_and_kept_stays_up_until_it_is_stopped_and_its_data_after_it(
    holdfast: Holdfast, home: Path
) -> None:
    with holdfast.started("demo", "--serve", "--keep", HOLDFAST_PORT="3990") as running:
        kept = re.search(r"HOLDFAST_HOME=(.+) holdfast status (\S+)", running.until("^kept: "))
        with urlopen(running.until("/hierarchy").strip()) as reply:  # noqa: S310 - http, our own
            assert json.load(reply)["hierarchy"]
        running.send(signal.SIGTERM)

        assert running.end().code == 0

    assert left_running(home) == []
    assert kept
    folder, generation_id = kept.groups()
    assert "completed, 100 %" in holdfast.run("status", generation_id, HOLDFAST_HOME=folder).out
    clear_away(home / "demo", older_than=0)
    assert Path(folder).exists()


@pytest.mark.timeout(240)
def test_what_a_killed_demo_leaves_is_cleared_away_by_a_later_one(holdfast: Holdfast, home: Path) -> None:
    with holdfast.started("demo") as running:
        workers = [int(pid) for pid in re.findall(r"worker (\d+)", running.until("each a process of its own"))]
        running.until("generation .* started")
        clear_away(home / "demo", older_than=0)  # it lives: nothing is taken from it
        assert running.process.poll() is None
        assert left_running(home) != []
        running.send(signal.SIGKILL)
        running.end()
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in workers if psutil.pid_exists(pid)], timeout=60)
    assert alive == []  # the workers stopped by themselves

    clear_away(home / "demo", older_than=60)
    young = left_running(home)
    clear_away(home / "demo", older_than=0)

    assert young != []
    assert left_running(home) == []
    assert list((home / "demo").iterdir()) == []
