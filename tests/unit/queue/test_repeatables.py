"""When a repeatable runs: clocks put forward and back, runs that were missed, and Bull's ids."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from holdfast.errors import BadJob
from holdfast.queue.jobs.cron import next_cron_ms
from holdfast.queue.jobs.repeatables import Rule, following, rule_on_wire, run_of, stems_of

HOUR_MS = 3_600_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def runs(cron: str, tz: str | None, after: str, count: int) -> list[str]:
    """The next runs, as UTC."""
    found, at = [], ms(after)
    for _ in range(count):
        at = next_cron_ms(cron, tz, at) or 0
        found.append(datetime.fromtimestamp(at / 1000, UTC).strftime("%d %H:%M:%S"))
    return found


# Keys and ids that Node's Bull 4.16.5 wrote.
@pytest.mark.parametrize(
    ("rule", "key", "md5"),
    [
        (Rule(name="__default__", every_ms=60_000), "__default__:::60000", "81f4b91a20baeebcad3503743cded6d3"),
        (Rule(name="n", every_ms=60_000, job_id="me"), "n:me::60000", "f59770d56c03b0b91bb2cdc5291db3a8"),
        (
            Rule(name="n", cron="0 3 * * *", tz="Europe/Warsaw", end_ms=1_893_456_000_000),
            "n::1893456000000:Europe/Warsaw:0 3 * * *",
            "01a4463ca2bca461b1d39d49a4ec24df",
        ),
        (Rule(name="n", cron="*/5 * * * *"), "n::::*/5 * * * *", "798d5597c15dfeca8132ba8480f922ca"),
        (
            Rule(name="n:x", cron="0 3 * * *", tz="Europe/Warsaw", job_id="j:k"),
            "n:x:j:k::Europe/Warsaw:0 3 * * *",
            "61bdba39a2696a6661071fff57b3ba23",
        ),
    ],
)
def test_keys_and_ids_are_those_that_node_writes_and_can_be_told_from_the_key_alone(
    rule: Rule, key: str, md5: str
) -> None:
    assert rule.key == key
    assert rule.stem == f"repeat:{md5}"
    assert rule.stem in stems_of(key)
    assert len(stems_of(key)) <= key.count(":")


def test_a_time_that_the_clock_skips_runs_right_behind_the_gap_and_the_day_after_as_ever() -> None:
    # At 2:00 on 28 March 2027 clocks in Warsaw go to 3:00, which is 1:00 UTC.
    assert runs("30 2 * * *", "Europe/Warsaw", "2027-03-27T12:00+01:00", 2) == ["28 01:00:00", "29 00:30:00"]


def test_a_time_that_comes_twice_runs_once() -> None:
    # At 3:00 on 31 October 2027 clocks in Warsaw go back to 2:00; 2:30 is 0:30 UTC, and 1:30 UTC again.
    assert runs("30 2 * * *", "Europe/Warsaw", "2027-10-30T12:00+02:00", 2) == ["31 00:30:00", "01 01:30:00"]


def test_asked_within_the_hour_that_comes_twice_it_names_no_time_that_is_past() -> None:
    assert runs("30 2 * * *", "Europe/Warsaw", "2027-10-31T02:10+01:00", 1) == ["01 01:30:00"]


@pytest.mark.parametrize("change", ["2027-03-28T00:45+00:00", "2027-10-31T00:45+00:00"])
def test_every_half_hour_goes_on_evenly_through_a_change(change: str) -> None:
    found = runs("*/30 * * * *", "Europe/Warsaw", change, 3)

    day = change[8:10]
    assert found == [f"{day} 01:00:00", f"{day} 01:30:00", f"{day} 02:00:00"]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("*/20 * * * * *", ["01 00:00:20", "01 00:00:40"]),
        ("0 0 ? * 1", ["06 00:00:00", "13 00:00:00"]),
        ("@daily", ["02 00:00:00", "03 00:00:00"]),
        ("0 12 L * *", ["31 12:00:00", "31 12:00:00"]),
        ("0 9 * * mon-fri", ["01 09:00:00", "02 09:00:00"]),
    ],
)
def test_what_node_s_expressions_may_hold_is_understood(cron: str, expected: list[str]) -> None:
    assert runs(cron, None, "2026-07-01T00:00+00:00", 2) == expected


def test_every_runs_at_multiples_since_1970_as_bull_has_it_and_not_before_its_start() -> None:
    rule = Rule(name="n", every_ms=60_000, start_ms=1_000_000)

    assert Rule(name="n", every_ms=60_000).next_ms(119_999) == 120_000
    assert Rule(name="n", every_ms=60_000).next_ms(120_000) == 180_000
    assert rule.next_ms(5) == 1_020_000
    assert rule.next_ms(1_020_000) == 1_080_000


def test_a_start_that_is_a_time_of_the_expression_is_the_first_run() -> None:
    start = ms("2030-01-01T03:00+00:00")

    assert Rule(name="n", cron="0 3 * * *", start_ms=start).next_ms(5) == start


def test_there_is_no_run_behind_the_end() -> None:
    rule = Rule(name="n", every_ms=HOUR_MS, end_ms=3 * HOUR_MS)

    assert rule.next_ms(2 * HOUR_MS) == 3 * HOUR_MS
    assert rule.next_ms(3 * HOUR_MS) is None


def _taken(**repeat: Any) -> bytes:
    rule = {"count": 4, "key": "n:::3600000", "every": HOUR_MS} | repeat
    return orjson.dumps({"repeat": rule, "jobId": "repeat:m:7200000", "prevMillis": 7_200_000})


def test_however_many_runs_were_missed_one_follows_and_it_is_not_in_the_past() -> None:
    now = 100 * HOUR_MS + 5

    run = following(run_of("n", b"1", _taken()), now)

    assert run is not None
    assert run.due_ms == 101 * HOUR_MS
    assert run.job_id == f"repeat:m:{101 * HOUR_MS}"
    assert run.opts["repeat"]["count"] == 5


def test_a_clock_that_went_back_does_not_run_the_same_time_twice() -> None:
    run = following(run_of("n", b"1", _taken()), 5)

    assert run is not None
    assert run.due_ms == 3 * HOUR_MS


def test_behind_the_limit_nothing_follows() -> None:
    assert following(run_of("n", b"1", _taken(limit=5)), 5) is not None
    assert following(run_of("n", b"1", _taken(limit=4)), 5) is None


def test_what_node_wrote_into_the_options_goes_on_to_the_next_run() -> None:
    run = following(run_of("n", b"1", _taken(endDate="2030-01-01", theirs=1)), 5)

    assert run is not None
    assert run.opts["repeat"]["theirs"] == 1
    assert rule_on_wire("n", run.opts["repeat"]).end_ms == ms("2030-01-01T00:00+00:00")


def test_an_expression_that_names_no_time_has_no_run() -> None:
    assert next_cron_ms("0 0 */31 * MON#5", None, 5) is None  # the first of a month is never its fifth Monday


@pytest.mark.parametrize("repeat", [{"every": None}, {"every": "x"}, {"every": 0}, {"every": float("inf")}])
def test_options_that_name_no_time_are_refused_by_name(repeat: dict[str, Any]) -> None:
    with pytest.raises(BadJob, match="neither cron nor every"):
        rule_on_wire("n", repeat)


@pytest.mark.parametrize("opts", [b"", b"{}", b"[]", b'{"repeat":1}', b'{"repeat":{"key":"k"},"prevMillis":"x"}'])
def test_a_job_that_only_looks_like_a_run_is_refused(opts: bytes) -> None:
    with pytest.raises(BadJob, match="cannot be read"):
        run_of("n", b"1", opts)


def test_the_same_expression_in_two_zones_is_two_moments() -> None:
    tokyo, warsaw = (
        next_cron_ms("0 3 * * *", tz, ms("2027-01-01T00:00+00:00")) for tz in ("Asia/Tokyo", "Europe/Warsaw")
    )

    assert tokyo is not None
    assert warsaw is not None
    assert abs(tokyo - warsaw) == round(timedelta(hours=16).total_seconds() * 1000)
