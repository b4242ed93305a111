"""What is said of a PostgreSQL, from what it says of itself."""

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.doctor.facts import backed_up, check_line, database

from holdfast.doctor import postgres_checks as checks
from holdfast.doctor.stamps import BackupFacts

HOUR = timedelta(hours=1)


def test_one_that_takes_no_writes_fails() -> None:
    check_line(checks.answers(database()), "ok", "answers")
    check_line(checks.answers(database(is_replica=True)), "fail", "a replica", "<the primary>")
    check_line(checks.answers(database(is_read_only=True)), "fail", "read-only", "<the primary>")


@pytest.mark.parametrize(("number", "level"), [(170_002, "ok"), (140_000, "ok"), (130_000, "warn"), (120_099, "fail")])
def test_an_old_version_fails_before_its_makers_leave_it(number: int, level: str) -> None:
    check_line(
        checks.version(database(version_number=number)), level, "PostgreSQL 17.2", "" if level == "ok" else "pg_upgrade"
    )


@pytest.mark.parametrize(
    ("schema", "level", "figure", "fix"),
    [
        ("current", "ok", "0007, the newest", ""),
        ("missing", "fail", "no tables yet", "holdfast serve"),
        ("older", "fail", "at 0006, this Holdfast needs 0007", "holdfast serve"),
        ("unknown", "fail", "a newer one was here", "pip install -U"),
    ],
)
def test_tables_that_are_not_of_this_holdfast_fail(schema: str, level: str, figure: str, fix: str) -> None:
    revision = "0006" if schema == "older" else "0007"

    check_line(checks.migrations(database(schema=schema, revision=revision)), level, figure, fix)


def test_a_table_without_row_security_fails_and_is_named() -> None:
    check_line(checks.row_security(database()), "ok", "on for all 12 tables")
    bare = database(unsecured=("answers", "calls"))
    check_line(
        checks.row_security(bare), "fail", "off on 2 of 12 tables: answers, calls", 'holdfast."answers" ENABLE ROW'
    )
    assert checks.row_security(bare).fix.count("ENABLE ROW LEVEL SECURITY;") == 2
    check_line(checks.row_security(database(schema="missing", tables=0)), "warn", "no tables yet", "holdfast serve")


@pytest.mark.parametrize(
    ("changes", "level", "figure", "fix"),
    [
        ({}, "ok", "on, fsync on", ""),
        ({"synchronous_commit": "remote_apply"}, "ok", "remote_apply", ""),
        ({"synchronous_commit": "off"}, "fail", "may lose replies", "SET synchronous_commit = on"),
        ({"fsync": "off"}, "fail", "fsync off", "SET fsync = on"),
        ({"full_page_writes": "off"}, "fail", "full_page_writes off", "SET full_page_writes = on"),
    ],
)
def test_a_commit_that_may_be_lost_fails(changes: dict[str, Any], level: str, figure: str, fix: str) -> None:
    check_line(checks.synchronous_commit(database(**changes)), level, figure, fix)


def test_a_transaction_pooler_fails_where_statements_are_prepared() -> None:
    plain, pooled = "postgresql://h:5432/d", "postgresql://h:6543/d"

    check_line(checks.pooler("none", plain), "ok", "a direct connection")
    check_line(checks.pooler("session", plain), "ok", "session mode")
    check_line(checks.pooler("transaction", pooled), "ok", "no prepared statements")
    check_line(checks.pooler("transaction", f"{plain}?pgbouncer=true"), "ok", "no prepared statements")
    check_line(checks.pooler("transaction", plain), "fail", "they get lost", ":6543")


@pytest.mark.parametrize(("used", "level"), [(79, "ok"), (80, "warn"), (95, "fail")])
def test_connections_run_out(used: int, level: str) -> None:
    fix = "" if level == "ok" else "max_connections = 200"

    check_line(checks.connections(database(connections=used)), level, f"{used} of 100 used", fix)


def test_answers_go_over_tls_beyond_this_machine() -> None:
    check_line(checks.encryption(database(), "127.0.0.1"), "ok", "not needed")
    check_line(checks.encryption(database(is_encrypted=True), "db.example.org"), "ok", "TLS")
    check_line(checks.encryption(database(), "db.example.org"), "warn", "no TLS", "ssl=require")
    check_line(checks.encryption(database(is_encrypted=None), "db.example.org"), "warn", "no TLS", "ssl=require")


@pytest.mark.parametrize(
    ("changes", "stamp", "level", "figure", "fix"),
    [
        ({}, 3, "ok", "a backup 3 h ago", ""),
        ({}, 27, "warn", "a backup 27 h ago", "pg_dump"),
        ({}, None, "warn", "unknown", "touch /backups/postgresql"),
        ({"archive_mode": "on", "archived_ago": HOUR}, None, "ok", "WAL archived 60 min ago", ""),
        ({"archive_mode": "on", "archived_ago": HOUR}, 0.5, "ok", "a backup 30 min ago", ""),
        ({"archive_mode": "on", "archived_ago": 30 * HOUR}, None, "warn", "WAL archived 30 h ago", "pg_dump"),
        ({"archive_mode": "off", "archived_ago": HOUR}, None, "warn", "unknown", "pg_dump"),
        (
            {"archive_mode": "on", "archived_ago": 30 * HOUR, "archive_failed_ago": HOUR},
            1,
            "fail",
            "archiving its WAL failed 60 min ago",
            "pg_stat_archiver",
        ),
        ({"archive_mode": "on", "archive_failed_ago": HOUR}, None, "fail", "failed", "pg_stat_archiver"),
        ({"archive_mode": "on", "archived_ago": HOUR, "archive_failed_ago": 2 * HOUR}, None, "ok", "WAL", ""),
    ],
)
def test_a_backup_is_a_stamp_or_an_archive_that_works(
    changes: dict[str, Any], stamp: float | None, level: str, figure: str, fix: str
) -> None:
    check_line(checks.backup(database(**changes), backed_up(stamp)), level, figure, fix)


def test_an_embedded_server_is_backed_up_with_its_folder() -> None:
    known: BackupFacts = backed_up(None, home="/data/my home")

    line = checks.backup(database(), known)

    check_line(line, "warn", "unknown", "tar -czf /backups/postgresql.tgz -C '/data/my home' .")
    assert "nothing of Holdfast runs meanwhile" in line.fix
