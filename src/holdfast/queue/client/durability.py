"""What the connected server can lose, in words; and whether an add can be made to survive a power cut there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["none", "snapshots", "written", "everysec", "always", "unknown"]

# What is lost by each level when: Redis is killed, the machine loses power.
_LOSSES: dict[Level, tuple[str, str]] = {
    "none": ("everything", "everything"),
    "snapshots": ("all since the last snapshot: minutes to an hour", "all since the last snapshot: minutes to an hour"),
    "written": ("nothing, as a rule: see everysec", "up to 30 s and more: the operating system decides when to write"),
    "everysec": (
        "nothing while the disk is quick; up to 2 s when it is slow, because Redis answers before it writes",
        "up to 1 s, 2 s when the disk is slow",
    ),
    "always": ("nothing", "nothing, if the disk keeps what it says it has"),
    "unknown": ("unknown", "unknown"),
}
_FAILOVER = "what had not reached the replica that takes over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Durability:
    """What the connected server can lose of what it acknowledged, and what is wrong with how it is set up.

    `level`: none (no persistence) | snapshots (RDB only) | written (AOF, appendfsync no) | everysec | always |
    unknown (the server does not tell).
    """

    level: Level
    killed: str  # what is lost when the Redis process dies
    power_cut: str  # what is lost when the machine does
    failover: str  # what is lost when a replica takes over
    refusal: str  # why add(durable=True) is refused, and what to change; empty: it is not
    warnings: tuple[str, ...]  # what is wrong otherwise, each with what to do

    @property
    def durable_adds(self) -> bool:
        """Whether `add(durable=True)` works here."""
        return not self.refusal

    def __str__(self) -> str:
        lines = [
            f"persistence: {self.level}",
            f"a killed Redis loses: {self.killed}",
            f"a power cut loses: {self.power_cut}",
            f"a failover loses: {self.failover}",
            f"add(durable=True): {self.refusal or 'loses nothing in a power cut'}",
        ]
        return "\n".join([*lines, *(f"warning: {each}" for each in self.warnings)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a server said of itself; empty where it would not."""

    info: Mapping[str, str]  # of the sections server, persistence, memory, replication
    config: Mapping[str, str]


def judge(told: Told) -> Durability:
    """Put what a server said into words."""
    level = _level(told)
    killed, power_cut = _LOSSES[level]
    return Durability(
        level=level,
        killed=killed,
        power_cut=power_cut,
        failover=_failover(told),
        refusal=refusal(told),
        warnings=tuple(_warnings(told)),
    )


def _level(told: Told) -> Level:
    enabled, sync = told.info.get("aof_enabled"), told.config.get("appendfsync")
    if enabled is None:
        return "unknown"
    if enabled == "1":
        names: dict[str | None, Level] = {"always": "always", "everysec": "everysec", "no": "written"}
        return names.get(sync, "unknown")
    if "save" not in told.config:
        return "unknown"
    return "snapshots" if told.config["save"].strip('" ') else "none"


def refusal(told: Told) -> str:
    """Why an add cannot be made durable on this server, with the setting to change; empty when it can."""
    enabled, sync = told.info.get("aof_enabled"), told.config.get("appendfsync")
    if enabled is None:
        return "the server does not tell how it persists: let the user run INFO (ACL +info)"
    if enabled == "0":
        return "the server runs with `appendonly no`: set `appendonly yes`"
    if sync is None:
        return "the server does not tell its appendfsync: let the user run CONFIG GET (ACL +config|get)"
    if sync == "no":
        return "the server runs with `appendfsync no`: set `appendfsync everysec` or `appendfsync always`"
    if told.config.get("no-appendfsync-on-rewrite") == "yes":
        return "the server runs with `no-appendfsync-on-rewrite yes`: set `no-appendfsync-on-rewrite no`"
    return ""


def _failover(told: Told) -> str:
    replicas = told.info.get("connected_slaves")
    return "everything, there is no replica" if replicas == "0" else _FAILOVER


def _warnings(told: Told) -> list[str]:
    info, found = told.info, []
    if info.get("aof_last_write_status") == "err":
        found.append("the last write or sync of the AOF failed and Redis refuses writes: is the disk full?")
    if info.get("aof_enabled") == "1" and info.get("aof_last_bgrewrite_status") == "err":
        found.append("the last rewrite of the AOF failed; it grows until one succeeds: look into Redis' log")
    if info.get("rdb_last_bgsave_status") == "err":
        found.append("the last snapshot failed: look into Redis' log (disk, memory for the fork)")
    policy = told.config.get("maxmemory-policy") or info.get("maxmemory_policy")
    if policy is not None and policy != "noeviction":
        found.append(f"maxmemory-policy is {policy}: Redis may throw jobs away; set `maxmemory-policy noeviction`")
    replicas, least = info.get("connected_slaves", "0"), told.config.get("min-replicas-to-write")
    if replicas != "0" and least == "0":
        found.append(
            "a primary that is cut off from its replicas takes writes that will be lost: `min-replicas-to-write 1`"
        )
    if least not in (None, "0") and int(replicas) < int(least or 0):
        found.append(f"{replicas} replicas are connected and min-replicas-to-write is {least}: Redis refuses writes")
    if info.get("role") == "slave":
        found.append("this is a replica; it takes no jobs")
    return found
