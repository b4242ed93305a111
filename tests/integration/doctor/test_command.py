"""`holdfast doctor` as a user runs it: lines, JSON, exit code, bounded time."""

import json
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
import redis
from tests.integration.cli.command import Holdfast

from holdfast.doctor import NAMES
from holdfast.embedded import RedisServer
from holdfast.store import Database


@pytest.fixture
def command(redis_url: str, database_url: str, tmp_path: Path) -> Holdfast:
    """The command on the session's servers."""
    return Holdfast(REDIS_URL=redis_url, DATABASE_URL=database_url, HOLDFAST_HOME=str(tmp_path / "home"), COLUMNS="100")


@pytest.fixture
async def migrated(database_url: str) -> None:
    database = Database(database_url)
    await database.migrate()
    await database.close()


def test_a_deployment_that_has_no_tables_yet_exits_1_and_says_how_to_make_them(command: Holdfast) -> None:
    done = command.run("doctor")

    assert done.code == 1
    fails = [line for line in done.out.splitlines() if line.startswith("fail")]
    assert [line.split()[1] for line in fails] == ["migrations"]
    assert "      fix: holdfast serve" in done.out
    assert done.out.rstrip().splitlines()[-1].endswith("1 fail · docs/how-to/doctor.md says why each matters")
    assert done.err == ""


def test_a_deployment_without_a_fail_exits_0(migrated: None, command: Holdfast) -> None:
    done = command.run("doctor", HOLDFAST_ALERTS="true")

    assert done.code == 0, done.out
    assert "\nok    alerts" in done.out
    assert "\nwarn  metrics" in done.out  # nobody scrapes a test


def test_json_has_every_line_with_figure_and_fix(migrated: None, command: Holdfast) -> None:
    done = command.run("doctor", "--json")

    report = json.loads(done.out)
    assert (done.code, report["level"]) == (0, "warn")
    assert 0 < report["seconds"] < 10
    assert [line["name"] for line in report["lines"]] == [name for name in NAMES if name != "disk"]
    for line in report["lines"]:
        assert line.keys() == {"name", "level", "figure", "fix"}
        assert line["figure"]
        assert bool(line["fix"]) == (line["level"] != "ok")


def test_it_never_hangs_while_both_servers_are_away(command: Holdfast) -> None:
    away = {"REDIS_URL": "redis://:hush-hush@127.0.0.1:1/0", "DATABASE_URL": "postgresql://u:hush-hush@127.0.0.1:1/d"}

    done = command.run("doctor", "--json", **away)

    report = json.loads(done.out)
    assert done.code == 1
    assert [line["name"] for line in report["lines"] if line["level"] == "fail"] == ["redis", "postgresql"]
    assert report["seconds"] < 8
    assert "hush-hush" not in done.out + done.err


@pytest.mark.timeout(180)
def test_without_settings_the_embedded_servers_are_started_examined_and_stopped(
    own_folder: Path, left_running: Callable[[Path], list[int]]
) -> None:
    home = own_folder / "home"

    done = Holdfast(HOLDFAST_HOME=str(home)).run("doctor", "--json")

    report = json.loads(done.out)
    assert done.code == 0, done.out + done.err
    assert [line["name"] for line in report["lines"]] == list(NAMES)
    levels = {line["name"]: line["level"] for line in report["lines"]}
    assert {levels[name] for name in ("redis access", "redis persistence", "migrations", "row security")} == {"ok"}
    fixes = [line["fix"] for line in report["lines"] if line["name"].endswith("backup")]
    assert all(f"-C '{home}' ." in fix for fix in fixes)
    assert left_running(home) == []


def test_a_home_that_cannot_be_used_is_two_failing_lines(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    began = monotonic()

    done = Holdfast(HOLDFAST_HOME=str(tmp_path / "file")).run("doctor", "--json")

    assert monotonic() - began < 60
    assert done.code == 1
    fails = [line for line in json.loads(done.out)["lines"] if line["level"] == "fail"]
    assert [line["name"] for line in fails] == ["redis", "postgresql"]


def test_a_redis_that_throws_jobs_away_exits_1(migrated: None, command: Holdfast, own_redis: RedisServer) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")

    done = command.run("doctor", REDIS_URL=own_redis.url)

    assert done.code == 1
    assert 'fix: redis-cli -u "$REDIS_URL" CONFIG SET maxmemory-policy noeviction' in done.out
