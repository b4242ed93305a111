"""Redis: what it keeps, what it may lose, how much fits in."""

from datetime import timedelta

from holdfast.doctor.lines import Line, fail, ok, warn
from holdfast.doctor.stamps import BackupFacts
from holdfast.doctor.words import size, span
from holdfast.queue import Growth, LinkFacts, ServerFacts

NEAR, FULL = 0.75, 0.9  # shares of the memory from which on it is time, and too late
JOB_BYTES = 1_000  # where no job could be weighed
SOON = timedelta(days=30)  # memory that is full by then is worth a line
KEEP = " && redis-cli CONFIG REWRITE"  # into redis.conf, so that it holds after a restart, too
UNKNOWN = "let the user of REDIS_URL ask: redis-cli ACL SETUSER <user> +info '+config|get' '+memory|usage'"


def version(facts: ServerFacts) -> Line:
    """An older server is refused at the connect."""
    if facts.version is None:
        return warn("redis version", "it does not tell", UNKNOWN)
    return ok("redis version", f"{facts.product} {facts.version} (6.2 or newer is needed)")


def persistence(facts: ServerFacts) -> Line:
    """Whether jobs are on a disk, and whether that works."""
    told = facts.durability
    kept = {
        "none": "off: neither AOF nor RDB",
        "snapshots": "RDB snapshots only",
        "written": "AOF, appendfsync no",
        "everysec": "AOF, appendfsync everysec",
        "always": "AOF, appendfsync always",
        "unknown": "it does not tell",
    }[told.level]
    figure = "; ".join([kept, *_last(facts)])
    if told.level == "unknown":
        return warn("redis persistence", figure, UNKNOWN)
    broken = _broken(facts)
    if broken is not None:
        return fail("redis persistence", figure, broken)
    if told.level == "none":
        return fail("redis persistence", figure, f"redis-cli CONFIG SET appendonly yes{KEEP}")
    if told.level == "snapshots":
        return warn("redis persistence", figure, f"redis-cli CONFIG SET appendonly yes{KEEP}")
    return _synced(facts, figure)


def _last(facts: ServerFacts) -> list[str]:
    said = {True: "ok", False: "FAILED"}
    is_aof = facts.durability.level in ("written", "everysec", "always")
    told = []
    if is_aof and facts.write_ok is not None:
        told.append(f"last write {said[facts.write_ok]}")
    if is_aof and facts.rewrite_ok is not None:
        told.append(f"last rewrite {said[facts.rewrite_ok]}")
    if facts.save_ok is not None and facts.last_save is not None:
        told.append(f"last save {said[facts.save_ok]}, {span(facts.last_save)} ago")
    return told


def _broken(facts: ServerFacts) -> str | None:
    """What to do about a disk that does not take what Redis writes."""
    level = facts.durability.level
    if facts.write_ok is False and level != "none":
        return (
            'df -h "$(redis-cli CONFIG GET dir | tail -1)"  # free some space: Redis refuses writes until it can sync'
        )
    if facts.save_ok is False and level == "snapshots":
        return "redis-cli BGSAVE  # then read Redis' log: no space in its dir, or no memory for the fork"
    return None


def _synced(facts: ServerFacts, figure: str) -> Line:
    if facts.rewrite_ok is False:
        return warn(
            "redis persistence", figure, "redis-cli BGREWRITEAOF  # then read Redis' log: disk, memory for the fork"
        )
    if facts.durability.level == "written":
        return warn("redis persistence", figure, f"redis-cli CONFIG SET appendfsync everysec{KEEP}")
    if "no-appendfsync-on-rewrite" in facts.durability.refusal:
        fix = f"redis-cli CONFIG SET no-appendfsync-on-rewrite no{KEEP}"
        return warn("redis persistence", f"{figure}; not synced during a rewrite", fix)
    return ok("redis persistence", figure)


def loss(facts: ServerFacts) -> Line:
    """What may be lost, in words. None of it loses a generation: PostgreSQL has what is owed and what was paid."""
    told = facts.durability
    figure = f"killed: {told.killed}; power cut: {told.power_cut}; failover: {told.failover}"
    cut_off = [each for each in told.warnings if "cut off from its replicas" in each]
    if cut_off:
        fix = f"redis-cli CONFIG SET min-replicas-to-write 1{KEEP}"
        return warn("redis loss", f"{figure}; a primary that is cut off goes on taking jobs", fix)
    if told.level == "unknown":
        return warn("redis loss", figure, UNKNOWN)
    if told.level in ("none", "snapshots"):
        return warn(
            "redis loss", f"{figure}; the reconciler puts it back", f"redis-cli CONFIG SET appendonly yes{KEEP}"
        )
    return ok("redis loss", figure)


def memory(facts: ServerFacts, growth: Growth) -> Line:
    """How much room there is for jobs."""
    limit = facts.max_memory or facts.system_memory
    if facts.used_memory is None or not limit:
        return warn("redis memory", "it does not tell", UNKNOWN)
    used, room = facts.used_memory / limit, max(0, limit - facts.used_memory)
    of = "maxmemory" if facts.max_memory else "the machine's memory, no maxmemory"
    jobs = room / (growth.bytes_per_job or JOB_BYTES)
    figure = f"{size(facts.used_memory)} of {size(limit)} ({of}) used, {used:.0%}; room for about {_about(jobs)} jobs"
    fix = f"redis-cli CONFIG SET maxmemory {_doubled(limit)}{KEEP}"
    if not facts.max_memory:
        fix = "holdfast queue clean completed --older-than 7d  # or move Redis to a machine with more memory"
    if used >= FULL:
        return fail("redis memory", figure, fix)
    return warn("redis memory", figure, fix) if used >= NEAR else ok("redis memory", figure)


def eviction(facts: ServerFacts) -> Line:
    """A Redis that is full must refuse writes, not throw jobs away."""
    if facts.policy is None:
        return warn("redis eviction", "it does not tell", UNKNOWN)
    if facts.policy == "noeviction":
        return ok("redis eviction", "noeviction")
    fix = f"redis-cli CONFIG SET maxmemory-policy noeviction{KEEP}"
    if facts.max_memory:
        # Jobs never expire; locks and the signs of life of workers do.
        what = "locks" if facts.policy.startswith("volatile") else "jobs"
        figure = f"{facts.policy}: Redis throws {what} away when {size(facts.max_memory)} are used"
        return fail("redis eviction", figure, fix)
    return warn("redis eviction", f"{facts.policy}, and no maxmemory: harmless until somebody sets one", fix)


def cluster(facts: ServerFacts, link: LinkFacts) -> Line:
    """In a cluster all keys of a queue are in one slot; one without a hash tag is refused at the connect."""
    if not facts.is_cluster:
        return ok("redis cluster", "not a cluster" + (", ready for one" if link.hash_tag else ""))
    return ok("redis cluster", "a cluster; the prefix has a hash tag, so all keys are in one slot")


def backup(facts: ServerFacts, known: BackupFacts) -> Line:
    """Whether somebody copies it elsewhere, by the stamp; a snapshot beside the server is no backup."""
    fix = known.fix("redis", f"redis-cli --rdb {known.stamps}/dump.rdb")
    if known.stamped is None:
        beside = "" if facts.last_save is None else f"; last snapshot beside it {span(facts.last_save)} ago"
        return warn("redis backup", f"unknown{beside}", fix)
    if known.stamped > known.most:
        return warn("redis backup", f"{span(known.stamped)} ago, more than {span(known.most)}", fix)
    return ok("redis backup", f"{span(known.stamped)} ago")


def retention(growth: Growth) -> Line:
    """Which finished jobs are kept; the service keeps all, and what cost money is in PostgreSQL."""
    return ok("retention", f"all are kept: {growth.completed:,} completed and {growth.failed:,} failed jobs")


def growing(facts: ServerFacts, growth: Growth) -> Line:
    """How fast finished jobs fill the memory."""
    a_day, weight = growth.per_day, growth.bytes_per_job or JOB_BYTES
    figure = f"about {_about(a_day)} finished jobs a day, {size(a_day * weight)}"
    limit = facts.max_memory or facts.system_memory
    if not limit or facts.used_memory is None or not a_day:
        return ok("growth", figure)
    left = timedelta(days=min(36_500.0, max(0, limit - facts.used_memory) / (a_day * weight)))
    if left > SOON:
        return ok("growth", figure)
    fix = "holdfast queue clean completed --older-than 7d  # daily, e.g. from cron"
    return warn("growth", f"{figure}; Redis is full in {span(left)}", fix)


def _about(number: float) -> str:
    """Two figures are all that an estimate is worth."""
    return f"{float(f'{number:.2g}'):,.0f}"


def _doubled(limit: int) -> str:
    return f"{max(1, round(2 * limit / 1024**2))}mb"
