"""Servers that are as they should be, to be made worse one fact at a time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from holdfast.doctor.lines import Line
from holdfast.doctor.stamps import BackupFacts
from holdfast.doctor.upkeep_checks import ModelFacts
from holdfast.queue import Growth, LinkFacts, ServerFacts
from holdfast.queue.client.durability import Told
from holdfast.queue.client.examining import facts_of
from holdfast.store import DatabaseFacts

NOW = 1_800_000_000.0  # s since 1970
GB = 1024**3

INFO = {
    "redis_version": "7.2.4",
    "cluster_enabled": "0",
    "uptime_in_seconds": "864000",
    "aof_enabled": "1",
    "aof_last_write_status": "ok",
    "aof_last_bgrewrite_status": "ok",
    "rdb_last_bgsave_status": "ok",
    "rdb_last_save_time": str(int(NOW) - 600),
    "connected_slaves": "0",
    "used_memory": str(GB),
    "maxmemory": str(4 * GB),
    "total_system_memory": str(16 * GB),
}
CONFIG = {
    "appendfsync": "everysec",
    "no-appendfsync-on-rewrite": "no",
    "save": "",
    "maxmemory-policy": "noeviction",
    "min-replicas-to-write": "0",
}


def redis(*, config: dict[str, str] | None = None, strangers: bool | None = False, **info: str) -> ServerFacts:
    """What a Redis says that keeps jobs each second and asks for a password, with these answers instead."""
    told = Told(info=INFO | info, config=CONFIG | (config or {}))
    return facts_of(told, now=NOW, admits_strangers=strangers)


def silent_redis() -> ServerFacts:
    """One whose ACL lets us ask nothing."""
    return facts_of(Told(info={}, config={}), now=NOW, admits_strangers=None)


def link(**changes: Any) -> LinkFacts:
    """A quick connection within this machine."""
    good = LinkFacts(
        hosts=("127.0.0.1",),
        tls=False,
        hash_tag=False,
        retry_step=0.05,
        retry_cap=2.0,
        max_wait=5.0,
        pings=(0.0002,) * 100,
        skew=0.0001,
        reconnects=0,
        young_workers=0,
    )
    return replace(good, **changes)


def growth(**changes: Any) -> Growth:
    """Five hundred jobs a day of a kilobyte each."""
    good = Growth(completed=10_000, failed=20, last_day=500, oldest=timedelta(days=20), bytes_per_job=1_000)
    return replace(good, **changes)


def database(**changes: Any) -> DatabaseFacts:
    """A PostgreSQL of these days with the newest tables."""
    good = DatabaseFacts(
        version="17.2 (Debian)",
        version_number=170_002,
        is_replica=False,
        is_read_only=False,
        synchronous_commit="on",
        fsync="on",
        full_page_writes="on",
        max_connections=100,
        connections=20,
        archive_mode="off",
        archived_ago=None,
        archive_failed_ago=None,
        is_encrypted=False,
        schema="current",
        revision="0007",
        head="0007",
        tables=12,
        unsecured=(),
        models=(),
        pings=(0.0005,) * 100,
        skew=0.0,
    )
    return replace(good, **changes)


def backed_up(hours: float | None, *, home: str | None = None) -> BackupFacts:
    """A stamp so many hours old; None: there is none."""
    age = None if hours is None else timedelta(hours=hours)
    return BackupFacts(stamped=age, most=timedelta(hours=26), stamps="/backups", home=home)


def models(**changes: Any) -> ModelFacts:
    """No paid model is in use."""
    good = ModelFacts(keys={"anthropic": True, "openai": False}, unusable={}, unpriced={}, in_use=())
    return replace(good, **changes)


def check_line(line: Line, level: str, figure: str, fix: str = "") -> None:
    """The line has this level, figure and fix; whatever is not ok has one, and what is has none."""
    assert line.level == level, line
    assert figure in line.figure
    assert fix in line.fix
    assert bool(line.fix) == (line.level != "ok")
