"""What the doctor asks of a queue's Redis: how it is set up, how far away it is, how fast the finished jobs pile up.

Every question that the user of the URL may not ask (ACL) has the answer None.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic, time
from typing import Any

from redis.exceptions import AuthenticationError, RedisError, ResponseError

from holdfast.queue.client.durability import Durability, Told, judge
from holdfast.queue.client.syncing import Syncing
from holdfast.queue.keys import Keys
from holdfast.queue.link.connection import RETRY_CAP, RETRY_STEP
from holdfast.queue.link.endpoints import parse
from holdfast.queue.link.finding import has_hash_tag
from holdfast.queue.link.presence import LiveWorker

PINGS = 100  # with fewer the slowest one alone would be the p99
PINGS_LAST = 1.5  # seconds, after which it has been enough
CLOCK_LOOKS = 5
STRANGER_TIMEOUT = 1.0  # seconds a connection without a password may take to be refused
HOUR = 3600.0
DAY_MS = 86_400_000
WEIGHED = 20  # jobs whose size is looked at
_SETTINGS = (
    "appendfsync",
    "no-appendfsync-on-rewrite",
    "save",
    "maxmemory-policy",
    "min-replicas-to-write",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What a Redis says of itself; None where it would not."""

    product: str  # Redis | Valkey
    version: str | None
    uptime: timedelta | None
    is_cluster: bool | None
    durability: Durability
    last_save: timedelta | None  # since the last snapshot; None also when none are made
    write_ok: bool | None  # the last write to the AOF
    rewrite_ok: bool | None  # the last rewrite of the AOF
    save_ok: bool | None  # the last snapshot
    policy: str | None  # maxmemory-policy
    used_memory: int | None  # bytes
    max_memory: int | None  # bytes; 0: no limit
    system_memory: int | None  # bytes
    admits_strangers: bool | None  # whether it answers a connection without user and password


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """How the connection to Redis is and was."""

    hosts: tuple[str, ...]  # where the URL leads first; a unix socket's path
    tls: bool
    hash_tag: bool  # whether all keys of the queue are in one slot of a cluster
    retry_step: float  # seconds by which each attempt to connect waits longer
    retry_cap: float  # seconds
    max_wait: float  # seconds a caller waits
    pings: tuple[float, ...]  # seconds, sorted
    skew: float  # seconds the clock of Redis is ahead of ours, half of the round trip taken off
    reconnects: int  # by this process in the last hour
    young_workers: int | None  # connections of workers that are younger than their worker and than an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How many finished jobs are kept, and how fast they get more."""

    completed: int
    failed: int
    last_day: int  # of those, finished within 24 hours
    oldest: timedelta | None  # since the oldest of them was finished
    bytes_per_job: int | None  # of the newest ones

    @property
    def per_day(self) -> float:
        """Jobs a day, as the last 24 hours were, or what there is of them."""
        if self.oldest is None:
            return 0.0
        return self.last_day / max(1 / 24, min(1.0, self.oldest / timedelta(days=1)))


class Examining(Syncing):
    """Answers the doctor."""

    async def server_facts(self) -> ServerFacts:
        """How the server is set up. Errors as of every call: QueueUnavailable, UnfitServer."""
        info, config, strangers = await asyncio.gather(
            self._info(), self._settings(_SETTINGS), asyncio.to_thread(self._admits_strangers)
        )
        return facts_of(Told(info=info, config=config), now=time(), admits_strangers=strangers)

    async def link_facts(self) -> LinkFacts:
        """How the connection is; takes at most two seconds when Redis answers."""
        target = parse(self.url)
        where = target.nodes or ((target.login.path or target.login.host, target.login.port),)
        return LinkFacts(
            hosts=tuple(str(host) for host, _ in where),
            tls=target.login.tls is not None,
            hash_tag=has_hash_tag(self.keys.base),
            retry_step=RETRY_STEP,
            retry_cap=RETRY_CAP,
            max_wait=self._max_wait,
            pings=await self._pings(),
            skew=await self._skew(),
            reconnects=sum(monotonic() - at < HOUR for at in self._link.came_back_at),
            young_workers=await self._young_workers(),
        )

    async def growth(self) -> Growth:
        """How fast the finished jobs get more."""
        k, now_ms = self.keys, time() * 1000
        zsets = (k.completed, k.failed)
        kept = [await self._ask("ZCARD", zset) for zset in zsets]
        last_day = [await self._ask("ZCOUNT", zset, round(now_ms - DAY_MS), "+inf") for zset in zsets]
        first = [await self._ask("ZRANGE", zset, 0, 0, "WITHSCORES") for zset in zsets]
        oldest_ms = min((float(pair[1]) for pair in first if pair), default=None)
        return Growth(
            completed=kept[0],
            failed=kept[1],
            last_day=sum(last_day),
            oldest=None if oldest_ms is None else timedelta(milliseconds=max(0.0, now_ms - oldest_ms)),
            bytes_per_job=await self._bytes_per_job(),
        )

    async def _pings(self) -> tuple[float, ...]:
        took: list[float] = []
        end = monotonic() + PINGS_LAST
        while len(took) < PINGS and (not took or monotonic() < end):
            began = monotonic()
            await self._ask("PING")
            took.append(monotonic() - began)
        return tuple(sorted(took))

    async def _skew(self) -> float:
        """Of some looks the one with the shortest round trip is the most exact."""
        looks: list[tuple[float, float]] = []
        for _ in range(CLOCK_LOOKS):
            began, before = monotonic(), time()
            seconds, micros = await self._ask("TIME")
            took = monotonic() - began
            looks.append((took, int(seconds) + int(micros) / 1e6 - (before + took / 2)))
        return min(looks)[1]

    async def _young_workers(self) -> int | None:
        """A worker's connection for being woken is made when it starts, and again when it was lost."""
        listed = await self._if_allowed("CLIENT", "LIST", "TYPE", "pubsub")
        if listed is None:
            return None
        now_ms = time() * 1000
        alive = await self._ask("ZRANGEBYSCORE", self.keys.presence, round(now_ms), "+inf")
        abouts = await asyncio.gather(*(self._ask("GET", f"{self.keys.presence}:{each.decode()}") for each in alive))
        started = [_started_ms(about) for about in abouts if about]
        new = sum(now_ms - at < HOUR * 1000 for at in started)
        return max(0, young_connections(listed.decode(errors="replace"), self.keys) - new)

    async def _bytes_per_job(self) -> int | None:
        newest = await self._ask("ZREVRANGE", self.keys.completed, 0, WEIGHED - 1)
        names = [self.keys.job(job_id.decode(errors="replace")) for job_id in newest]
        weights = await asyncio.gather(*(self._if_allowed("MEMORY", "USAGE", name) for name in names))
        known = [weight for weight in weights if weight]
        return round(sum(known) / len(known)) if known else None

    def _admits_strangers(self) -> bool | None:
        try:
            endpoint = replace(self.finder.find(), username=None, password=None)
            with endpoint.blocking(timeout=STRANGER_TIMEOUT) as client:
                client.ping()
        except (AuthenticationError, ResponseError):  # protected mode is a ResponseError
            return False
        except (RedisError, OSError):
            return None
        return True

    async def _ask(self, *command: str | int) -> Any:
        return await self._patiently(lambda: self._link.call(*command))


def facts_of(told: Told, *, now: float, admits_strangers: bool | None) -> ServerFacts:
    """What the server said, in types. `now`: seconds since 1970."""
    info = told.info
    saved, uptime = _number(info, "rdb_last_save_time"), _number(info, "uptime_in_seconds")
    snapshots = told.config.get("save", "").strip('" ')  # without them the time is that of the start
    valkey = info.get("valkey_version")
    return ServerFacts(
        product="Valkey" if valkey else "Redis",
        version=valkey or info.get("redis_version"),
        uptime=None if uptime is None else timedelta(seconds=uptime),
        is_cluster=None
        if "cluster_enabled" not in info
        else info["cluster_enabled"] == "1",  # redis_mode is not Valkey's
        durability=judge(told),
        last_save=None if saved is None or not snapshots else timedelta(seconds=max(0.0, now - saved)),
        write_ok=_is_ok(info, "aof_last_write_status"),
        rewrite_ok=_is_ok(info, "aof_last_bgrewrite_status"),
        save_ok=_is_ok(info, "rdb_last_bgsave_status"),
        policy=told.config.get("maxmemory-policy") or info.get("maxmemory_policy"),
        used_memory=_number(info, "used_memory"),
        max_memory=_number(info, "maxmemory"),
        system_memory=_number(info, "total_system_memory"),
        admits_strangers=admits_strangers,
    )


def young_connections(listed: str, keys: Keys) -> int:
    """Of the lines of CLIENT LIST, the connections of this queue's workers that are younger than an hour."""
    rows = [dict(pair.split("=", 1) for pair in line.split() if "=" in pair) for line in listed.splitlines()]
    return sum(row.get("name") == keys.client_name and int(row.get("age", HOUR)) < HOUR for row in rows)


def _started_ms(about: bytes) -> float:
    return LiveWorker.from_json(about).started_at.timestamp() * 1000


def _number(info: Mapping[str, str], name: str) -> int | None:
    value = info.get(name, "")
    return int(value) if value.isdigit() else None


def _is_ok(info: Mapping[str, str], name: str) -> bool | None:
    return info[name] == "ok" if name in info else None
