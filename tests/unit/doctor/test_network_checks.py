"""What is said of the way to the servers."""

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.doctor.facts import check_line, link, redis, silent_redis

from holdfast.doctor import network_checks as checks
from holdfast.doctor.lines import Line
from holdfast.doctor.words import is_local, milliseconds, percentile, size, span
from holdfast.queue import ServerFacts
from holdfast.queue.client.examining import young_connections
from holdfast.queue.keys import Keys

FAR = ("redis.example.org",)


def test_a_redis_without_a_password_fails_unless_only_this_machine_reaches_it() -> None:
    open_to_all = redis(strangers=True)

    check_line(checks.access(redis(), link(hosts=FAR)), "ok", "a password is needed")
    check_line(checks.access(open_to_all, link(hosts=FAR)), "fail", "whoever reaches it", "requirepass")
    check_line(checks.access(open_to_all, link()), "warn", "every program of this machine", "requirepass")
    check_line(checks.access(silent_redis(), link()), "warn", "unknown", "requirepass")


def test_tls_is_needed_beyond_this_machine() -> None:
    check_line(checks.encryption(link()), "ok", "not needed")
    check_line(checks.encryption(link(hosts=("/run/redis.sock",))), "ok", "not needed")
    check_line(checks.encryption(link(hosts=FAR, tls=True)), "ok", "TLS")
    check_line(checks.encryption(link(hosts=FAR)), "warn", "no TLS", "rediss://")
    check_line(checks.encryption(link(hosts=("127.0.0.1", *FAR))), "warn", "no TLS", "rediss://")


def test_latency_is_the_median_and_the_99th_of_a_hundred() -> None:
    quick, slow = (0.001,) * 98, (0.2, 0.3)

    check_line(checks.latency("redis latency", (*quick, 0.002, 0.003)), "ok", "p50 1 ms, p99 3 ms of 100 round trips")
    check_line(checks.latency("redis latency", (*quick, *slow)), "warn", "p99 300 ms", "redis-cli --latency")
    check_line(checks.latency("postgresql latency", (0.02,) * 100), "warn", "p50 20 ms", "ping -c 20")
    check_line(checks.latency("redis latency", (0.004,)), "ok", "p50 4 ms, p99 4 ms of 1 round trips")


@pytest.mark.parametrize(
    ("skew", "level", "figure"),
    [
        (0.0004, "ok", "to the millisecond"),
        (-0.2, "ok", "200 ms behind ours"),
        (0.6, "warn", "600 ms ahead of ours"),
        (-31.0, "fail", "31,000 ms behind ours"),
    ],
)
def test_a_clock_may_be_half_a_second_off(skew: float, level: str, figure: str) -> None:
    check_line(checks.clock("redis clock", skew), level, figure, "" if level == "ok" else "set-ntp")


def test_every_sign_of_a_lost_connection_in_the_last_hour_is_told() -> None:
    young = redis(uptime_in_seconds="600")

    def line(*, started: ServerFacts | None = None, embedded: bool = False, **changes: Any) -> Line:
        return checks.reconnects(started or redis(), link(**changes), embedded=embedded)

    check_line(line(), "ok", "0 by this process, 0 by workers that are connected")
    check_line(line(reconnects=2), "warn", "2 by this process", "INFO server")
    check_line(line(young_workers=3), "warn", "3 by workers", "INFO server")
    check_line(line(started=young), "warn", "Redis itself started 10 min ago", "INFO server")
    check_line(line(started=young, embedded=True), "ok", "0 by this process")  # it starts with us
    check_line(line(young_workers=None), "warn", "of workers unknown", "+client|list")


def test_the_reconnect_settings_in_force_are_told() -> None:
    check_line(checks.reconnecting(link()), "ok", "min(n x 50 ms, 2 s), for ever; requests wait 5 s at most")
    check_line(checks.reconnecting(link(max_wait=60.0)), "warn", "wait 60 s at most", "max_wait=30")


def test_only_this_queue_s_worker_connections_of_the_last_hour_are_young() -> None:
    keys = Keys("bull", "q")
    listed = "\n".join(
        [
            f"id=1 addr=127.0.0.1:1 name={keys.client_name} age=30 idle=0",
            f"id=2 addr=127.0.0.1:2 name={keys.client_name} age=3600 idle=0",
            "id=3 addr=127.0.0.1:3 name=another age=30 idle=0",
            "id=4 addr=127.0.0.1:4 name= age=30 idle=0",
        ]
    )

    assert young_connections(listed, keys) == 1


def test_figures_are_short() -> None:
    assert [span(timedelta(seconds=s)) for s in (1, 119, 120, 7200, 200_000)] == [
        "1 s",
        "119 s",
        "2 min",
        "2 h",
        "2 days",
    ]
    assert [size(n) for n in (10, 2048, 3 * 1024**2, 1024**4)] == ["10 bytes", "2.0 kB", "3.0 MB", "1.0 TB"]
    assert [milliseconds(s) for s in (0.00012, 0.05, 2.0)] == ["0.12 ms", "50 ms", "2,000 ms"]
    assert percentile((1.0, 2.0, 3.0, 4.0), 0.5) == 3.0


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "[::1]", "/run/s.sock", ""])
def test_this_machine_is_known(host: str) -> None:
    assert is_local(host)
    assert not is_local("10.0.0.1")
    assert not is_local("redis")
