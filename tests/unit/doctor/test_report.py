"""The report's order and level, and where the fixes point."""

from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.doctor import NAMES, Line, Report
from holdfast.doctor.lines import fail, ok, warn
from holdfast.doctor.places import away, place, with_address

VITAL = {"redis", "redis version", "redis cluster", "postgresql", "migrations"}


def report(*lines: Line) -> Report:
    return Report.of(lines, took=timedelta(seconds=1))


def test_lines_come_in_their_order_and_the_worst_is_the_level() -> None:
    good, odd, bad = ok("redis", "answers"), warn("alerts", "unknown", "x"), fail("migrations", "none", "y")

    assert [line.name for line in report(odd, bad, good).lines] == ["redis", "migrations", "alerts"]
    assert [report(good).level, report(odd, good).level, report(good, bad, odd).level] == ["ok", "warn", "fail"]


@pytest.mark.parametrize("name", NAMES)
def test_only_what_nothing_can_be_done_without_keeps_requests_out(name: str) -> None:
    assert report(fail(name, "bad", "fix")).is_ready == (name not in VITAL)  # type: ignore[arg-type]
    assert report(warn(name, "odd", "fix")).is_ready  # type: ignore[arg-type]


def test_no_line_shows_a_password() -> None:
    urls = ["redis://user:secret@h:6379/0?x=secret", "postgresql://u:se%40cret@h:5432/d", "unix://:secret@/run/r.sock"]

    assert [place(url) for url in urls] == ["redis://h:6379", "postgresql://h:5432", "unix:///run/r.sock"]


@pytest.mark.parametrize(
    ("url", "by_variable", "client"),
    [
        ("redis://:pw@h:6380/0", True, 'redis-cli -u "$REDIS_URL" PING'),
        ("redis://:pw@h:6380/0", False, "redis-cli -h h -p 6380 PING"),
        ("redis://h", False, "redis-cli -h h -p 6379 PING"),
        ("rediss://:pw@h:6380/0?ssl_ca_certs=x", True, "redis-cli -h h -p 6380 --tls PING"),
        ("unix:///run/r.sock?db=0", True, "redis-cli -s /run/r.sock PING"),
        ("redis+sentinel://:pw@a:1,b:2/s", True, "redis-cli -h <the primary> PING"),
    ],
)
def test_a_fix_asks_the_server_that_was_looked_at(url: str, by_variable: bool, client: str) -> None:
    line = with_address(warn("redis version", "old", "redis-cli PING && redis-cli PING"), url, by_variable=by_variable)

    assert line.fix == f"{client} && {client}"


@pytest.mark.parametrize(
    ("name", "url", "refused", "fix"),
    [
        ("redis", "redis://:pw@h:6380/0", None, "redis-cli -h h -p 6380 ping"),
        ("redis", "redis://:pw@h:6380/0", "credentials", "REDIS_URL=redis://<user>:<password>@h:6380/0"),
        ("postgresql", "postgresql://u:pw@h/d", None, "pg_isready -h h -p 5432"),
        ("postgresql", "postgresql://u:pw@h/d", "credentials", "DATABASE_URL=postgresql://<user>:<password>@h:5432/d"),
        ("postgresql", "postgresql://u:pw@h/d", "database", "createdb -h h -p 5432 'd'"),
        ("postgresql", "postgresql://u:pw@h/d", "pooler", "DATABASE_URL=postgresql://<user>:<password>@h:6543/d"),
        ("postgresql", "postgresql://u:pw@a:1,b:2/d", None, "pg_isready -h a -p 5432"),
    ],
)
def test_a_server_that_is_away_is_one_line_with_the_way_to_it(name: str, url: str, refused: str, fix: str) -> None:
    line = away(name, url, "no answer", home=None, refused=refused)  # type: ignore[arg-type]

    assert line.level == "fail"
    assert "no answer; the other lines about it are left out" in line.figure
    assert line.fix.startswith(fix)
    assert "pw@" not in line.figure + line.fix


def test_an_embedded_server_that_is_away_has_last_words_in_its_folder() -> None:
    line = away("redis", "redis://:pw@127.0.0.1:1/0", "", home=Path("/data"))

    assert "no answer within 5 s" in line.figure
    assert line.fix.startswith("ls '/data'/*/*.log")
