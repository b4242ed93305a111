"""`holdfast drill`, as it is: it passes, it can fail, and it leaves nothing behind."""

import json
import re
import signal
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from tests.faults.test_demo import left_running
from tests.integration.cli.command import Holdfast

from holdfast.drill import Played, clear_away, judge, open_stage, play_server
from holdfast.drill.client import Api, Told
from holdfast.drill.stage import Stage
from holdfast.embedded import PlainRedis, RedisServer
from holdfast.settings import Settings

ALL = ["goes on", "reconnects", "the status", "nothing is lost", "persisted"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "outages", [pytest.param([1], id="short"), pytest.param([2, 20], id="as it is", marks=pytest.mark.long)]
)
def test_the_drill_passes_its_five_criteria_and_leaves_nothing_behind(
    holdfast: Holdfast, home: Path, tmp_path: Path, outages: list[int]
) -> None:
    shown = tmp_path / "drill.html"

    options = [f"--outage={seconds}" for seconds in outages]
    done = holdfast.run("drill", "--all", *options, "--json", "-", "--html", shown)

    assert done.code == 0, done.err
    assert [line for line in done.err.splitlines() if len(line) > 100 and "/" not in line] == []
    assert [line[:6].strip() for line in done.err.splitlines() if re.match(r"\w+ +\d  ", line)] == ["pass"] * 5
    report = json.loads(done.out)
    assert report["passed"]
    assert [each["verdict"] for each in report["criteria"]] == ["pass"] * 5
    assert all(each["name"].startswith(begins) for each, begins in zip(report["criteria"], ALL, strict=True))
    server, *redis, persistence = report["runs"]
    assert (server["told_before"], server["told_after"]) == (3, 3)
    assert [run["title"] for run in redis] == [f"Redis killed for {seconds} s" for seconds in outages]
    assert set().union(*(look["by_state"] for look in persistence["looks"])) >= {"active", "paused", "failed"}
    assert [(run["money"]["billed"], run["money"]["billed_usd"]) for run in report["runs"]] == (
        [(10, "15.00")] * len(report["runs"])
    )
    assert shown.read_text().count("<svg") == len(report["runs"])
    assert left_running(home) == []
    assert list((home / "drill").iterdir()) == []


class Lying(Api):
    """An API that forgets a cluster every second time, once it is back (the first and last are criterion 1's)."""

    back = False
    asked = 0

    async def status(self, generation_id: UUID) -> Told:
        told = await super().status(generation_id)
        self.asked += self.back
        if self.asked and self.asked % 2 == 0 and not told.ended:
            return replace(told, n_completed=told.n_completed - 1, n_pending=told.n_pending + 1)
        return told


def forget_a_job(stage: Stage) -> None:
    with PlainRedis(stage.redis.url) as redis:
        base = stage.service.queue.keys.base
        redis.call("DEL", base + redis.call("LINDEX", f"{base}wait", 0))


def bill_again(stage: Stage) -> None:
    bill = stage.folder / "provider" / "bill.jsonl"
    lines = bill.read_bytes().splitlines(keepends=True)
    bill.write_bytes(b"".join([*lines, lines[-1]]))


@pytest.mark.timeout(240)
async def test_a_lost_job_a_second_bill_and_a_status_that_goes_back_fail_their_criteria(home: Path) -> None:
    async with open_stage(Settings(home=home)) as stage:
        lying = Lying(stage.api.port)

        def tamper(line: str) -> None:
            if "killed (SIGKILL)" in line:
                forget_a_job(stage)
                lying.back = True
            if line.startswith("Redis at the end"):
                bill_again(stage)

        stage.api = lying
        run = await play_server(stage, tamper)

    criteria = {each.number: each for each in judge(Played(runs=(run,), left_out={}))}
    assert {number: each.verdict for number, each in criteria.items()} == {
        1: "pass",
        2: "not played",
        3: "fail",
        4: "fail",
        5: "fail",
    }
    assert any(re.search(r"n_completed went back from (\d+) to", wrong) for wrong in criteria[3].wrong)
    assert any(re.search(r"n_completed was \d+, the database had", wrong) for wrong in run.status.wrong)
    assert criteria[4].wrong == ("server killed: 1 calls billed twice, 0 were cut off between bill and reply",)
    assert any(re.search(r"label/\d: its job has no hash", wrong) for wrong in criteria[5].wrong)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("signals", [1, pytest.param(2, marks=pytest.mark.long)])
def test_ctrl_c_ends_the_drill_and_all_it_started(holdfast: Holdfast, home: Path, signals: int) -> None:
    with holdfast.started("drill", "1") as running:
        running.until("generation .* asked for")
        started = psutil.Process(running.process.pid).children(recursive=True)
        for _ in range(signals):
            running.send(signal.SIGINT)

        done = running.end()

    assert done.code == 130
    assert "Traceback" not in done.err
    assert len(started) >= 6  # Redis, PostgreSQL, the provider, the API, two workers
    assert [process for process in started if process.is_running() and process.status() != "zombie"] == []
    assert left_running(home) == []
    assert list((home / "drill").iterdir()) == []


@pytest.mark.timeout(240)
def test_what_a_killed_drill_leaves_is_cleared_away_by_a_later_one(holdfast: Holdfast, home: Path) -> None:
    with holdfast.started("drill", "redis") as running:
        running.until("generation .* asked for")
        children = psutil.Process(running.process.pid).children()
        programs = [child for child in children if "holdfast" in child.cmdline()]
        clear_away(home / "drill", older_than=0)  # it lives: nothing is taken from it
        assert running.process.poll() is None
        assert left_running(home) != []
        running.send(signal.SIGKILL)
        running.end()

    _, alive = psutil.wait_procs(programs, timeout=60)
    clear_away(home / "drill", older_than=0)

    assert len(programs) == 3
    assert alive == []  # the API and the workers stopped by themselves
    assert left_running(home) == []
    assert list((home / "drill").iterdir()) == []


@pytest.fixture
def on_mine(home: Path, own_redis: RedisServer) -> Holdfast:
    """The command where a Redis of the user's is set, with a job of theirs in it."""
    with PlainRedis(own_redis.url) as redis:
        redis.call("RPUSH", "bull:codeframe-generation:wait", "theirs")
    return Holdfast(HOLDFAST_HOME=str(home), REDIS_URL=own_redis.url)


@pytest.mark.timeout(240)
def test_on_a_redis_of_the_user_s_nothing_is_killed_or_left(on_mine: Holdfast, own_redis: RedisServer) -> None:
    pid = own_redis.pid

    done = on_mine.run("drill", "3", "--on-my-redis", "--json", "-")

    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert [each["verdict"] for each in report["criteria"]] == ["not played", "not played", "pass", "pass", "pass"]
    assert "asks you to restart it" in report["left_out"]["redis"]
    assert (own_redis.pid, own_redis.running) == (pid, True)
    with PlainRedis(own_redis.url) as redis:
        assert redis.keys("*") == {"bull:codeframe-generation:wait"}
    assert own_redis.url.split("@")[0] not in done.out + done.err


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_user_who_asks_for_it_is_told_when_to_restart_their_redis(on_mine: Holdfast, own_redis: RedisServer) -> None:
    with on_mine.started("drill", "2", "--on-my-redis") as running:
        running.until("NOW RESTART YOUR REDIS")
        own_redis.kill()
        own_redis.start()

        done = running.end()

    assert done.code == 0, done.out
    assert re.search(r"pass  2  reconnects.*\n.*your Redis restarted: 2 workers reconnected", done.out)


def test_wrong_use_says_what_is_right_before_anything_is_started(holdfast: Holdfast, tmp_path: Path) -> None:
    assert holdfast.run("drill", "4").code == 2
    assert holdfast.run("drill", "1", "--all").code == 2
    assert "set REDIS_URL" in holdfast.run("drill", "1", "--on-my-redis").err
    assert "in a folder that exists" in holdfast.run("drill", "--html", tmp_path / "no" / "x.html").err
