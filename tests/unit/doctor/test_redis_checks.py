"""What is said of a Redis, from what it says of itself."""

import pytest
from tests.unit.doctor.facts import GB, backed_up, check_line, growth, link, redis, silent_redis

from holdfast.doctor import redis_checks
from holdfast.queue import ServerFacts

OFF, RDB = {"aof_enabled": "0"}, {"save": "3600 1 300 100"}

PERSISTENCE = [
    (redis(), "ok", "AOF, appendfsync everysec; last write ok; last rewrite ok", ""),
    (redis(config={"appendfsync": "always"}), "ok", "AOF, appendfsync always", ""),
    (redis(config=RDB), "ok", "last save ok, 10 min ago", ""),
    (redis(**OFF), "fail", "neither AOF nor RDB", "CONFIG SET appendonly yes"),
    (redis(**OFF, config=RDB), "warn", "RDB snapshots only; last save ok, 10 min ago", "CONFIG SET appendonly yes"),
    (redis(config={"appendfsync": "no"}), "warn", "appendfsync no", "CONFIG SET appendfsync everysec"),
    (
        redis(config={"no-appendfsync-on-rewrite": "yes"}),
        "warn",
        "not synced during a rewrite",
        "CONFIG SET no-appendfsync-on-rewrite no",
    ),
    (redis(aof_last_write_status="err"), "fail", "last write FAILED", "df -h"),
    (redis(aof_last_bgrewrite_status="err"), "warn", "last rewrite FAILED", "BGREWRITEAOF"),
    (redis(**OFF, config=RDB, rdb_last_bgsave_status="err"), "fail", "last save FAILED", "BGSAVE"),
    (silent_redis(), "warn", "does not tell", "ACL SETUSER"),
]


@pytest.mark.parametrize(("facts", "level", "figure", "fix"), PERSISTENCE)
def test_persistence_names_what_is_on_and_whether_it_works(
    facts: ServerFacts, level: str, figure: str, fix: str
) -> None:
    check_line(redis_checks.persistence(facts), level, figure, fix)


LOSS = [
    (redis(), "ok", "power cut: up to 1 s, 2 s when the disk is slow; failover: everything, there is no replica", ""),
    (redis(config={"appendfsync": "always"}), "ok", "killed: nothing; power cut: nothing", ""),
    (redis(**OFF), "warn", "killed: everything; power cut: everything", "CONFIG SET appendonly yes"),
    (redis(**OFF, config=RDB), "warn", "minutes to an hour", "CONFIG SET appendonly yes"),
    (redis(connected_slaves="1"), "warn", "a primary that is cut off goes on", "CONFIG SET min-replicas-to-write 1"),
    (redis(connected_slaves="1", config={"min-replicas-to-write": "1"}), "ok", "what had not reached the replica", ""),
    (silent_redis(), "warn", "killed: unknown", "ACL SETUSER"),
]


@pytest.mark.parametrize(("facts", "level", "figure", "fix"), LOSS)
def test_loss_says_in_words_what_each_fault_costs(facts: ServerFacts, level: str, figure: str, fix: str) -> None:
    check_line(redis_checks.loss(facts), level, figure, fix)


MEMORY = [
    (redis(), "ok", "1.0 GB of 4.0 GB (maxmemory) used, 25%; room for about 3,200,000 jobs", ""),
    (redis(used_memory=str(3 * GB)), "warn", "75%", "CONFIG SET maxmemory 8192mb"),
    (redis(used_memory=str(4 * GB)), "fail", "100%; room for about 0 jobs", "CONFIG SET maxmemory 8192mb"),
    (redis(maxmemory="0"), "ok", "of 16.0 GB (the machine's memory, no maxmemory)", ""),
    (redis(maxmemory="0", used_memory=str(15 * GB)), "fail", "94%", "queue clean completed"),
    (silent_redis(), "warn", "does not tell", "ACL SETUSER"),
]


@pytest.mark.parametrize(("facts", "level", "figure", "fix"), MEMORY)
def test_memory_says_how_many_jobs_still_fit(facts: ServerFacts, level: str, figure: str, fix: str) -> None:
    check_line(redis_checks.memory(facts, growth()), level, figure, fix)


EVICTION = [
    (redis(), "ok", "noeviction", ""),
    (redis(config={"maxmemory-policy": "allkeys-lru"}), "fail", "throws jobs away when 4.0 GB", "policy noeviction"),
    (redis(config={"maxmemory-policy": "volatile-ttl"}), "fail", "throws locks away", "policy noeviction"),
    (redis(config={"maxmemory-policy": "allkeys-lru"}, maxmemory="0"), "warn", "no maxmemory", "policy noeviction"),
    (silent_redis(), "warn", "does not tell", "ACL SETUSER"),
]


@pytest.mark.parametrize(("facts", "level", "figure", "fix"), EVICTION)
def test_a_redis_that_throws_things_away_fails(facts: ServerFacts, level: str, figure: str, fix: str) -> None:
    check_line(redis_checks.eviction(facts), level, figure, fix)


def test_the_version_is_redis_or_valkey_s() -> None:
    check_line(redis_checks.version(redis()), "ok", "Redis 7.2.4")
    check_line(redis_checks.version(redis(valkey_version="9.1.0")), "ok", "Valkey 9.1.0")
    check_line(redis_checks.version(silent_redis()), "warn", "does not tell", "ACL SETUSER")


def test_a_hash_tag_is_told_of() -> None:
    check_line(redis_checks.cluster(redis(), link()), "ok", "not a cluster")
    check_line(redis_checks.cluster(redis(), link(hash_tag=True)), "ok", "not a cluster, ready for one")
    check_line(redis_checks.cluster(redis(cluster_enabled="1"), link(hash_tag=True)), "ok", "all keys are in one slot")


def test_a_backup_is_known_by_its_stamp_and_too_old_after_a_day() -> None:
    check_line(redis_checks.backup(redis(), backed_up(3)), "ok", "3 h ago")
    check_line(
        redis_checks.backup(redis(), backed_up(27)), "warn", "27 h ago, more than 26 h", "--rdb /backups/dump.rdb"
    )
    check_line(redis_checks.backup(redis(), backed_up(None)), "warn", "unknown", "touch /backups/redis")
    beside = redis_checks.backup(redis(config=RDB), backed_up(None))
    check_line(beside, "warn", "unknown; last snapshot beside it 10 min ago", "HOLDFAST_BACKUP_STAMP=/backups")
    check_line(redis_checks.backup(redis(), backed_up(None, home="/data")), "warn", "unknown", "tar -czf")


def test_growth_warns_when_the_memory_is_full_within_a_month() -> None:
    fast = growth(last_day=1_000_000)

    check_line(redis_checks.growing(redis(), growth()), "ok", "about 500 finished jobs a day, 488.3 kB")
    check_line(redis_checks.growing(redis(), growth(last_day=0)), "ok", "about 0 finished jobs a day")
    check_line(redis_checks.growing(redis(), fast), "warn", "1,000,000 finished jobs a day", "queue clean completed")
    assert "full in 3 days" in redis_checks.growing(redis(), fast).figure
    check_line(redis_checks.growing(silent_redis(), fast), "ok", "1,000,000")


def test_retention_says_what_is_kept() -> None:
    check_line(redis_checks.retention(growth()), "ok", "10,000 completed and 20 failed")
