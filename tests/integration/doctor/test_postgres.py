"""What the doctor finds on a real PostgreSQL that is set up well, badly, or not there; and of backups."""

import os
import re
import time
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import pytest
from tests.integration.doctor.conftest import Examine

from holdfast.doctor import NAMES
from holdfast.embedded import PostgresServer
from holdfast.store import Database


@pytest.fixture
async def migrated(database_url: str) -> str:
    """The URL of a database with our tables."""
    database = Database(database_url)
    await database.migrate()
    await database.close()
    return database_url


async def sql(url: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def test_every_line_of_the_checklist_is_there_when_both_servers_answer(migrated: str, examine: Examine) -> None:
    lines = await examine()

    assert list(lines) == [name for name in NAMES if name != "disk"]  # the disk of another's server is not ours to see
    assert [line for line in lines.values() if line.level == "fail"] == []
    assert lines["migrations"].figure.endswith("the newest")
    assert re.fullmatch(r"on for all \d+ tables", lines["row security"].figure)
    assert lines["pooler"].figure == "none, a direct connection"
    for name in ("redis latency", "postgresql latency"):
        assert re.fullmatch(r"p50 [\d.]+ ms, p99 [\d,.e+]+ ms of \d+ round trips", lines[name].figure), name


async def test_somebody_else_s_database_is_looked_at_and_left_as_it_is(database_url: str, examine: Examine) -> None:
    lines = await examine()

    assert (lines["migrations"].level, lines["migrations"].figure) == ("fail", "no tables yet")
    assert lines["migrations"].fix.startswith("holdfast serve")
    assert lines["row security"].level == "warn"
    assert await sql(database_url, "SELECT 1 FROM pg_namespace WHERE nspname = 'holdfast'") == []


async def test_an_older_schema_and_one_of_the_future_fail(migrated: str, examine: Examine) -> None:
    ((table,),) = await sql(
        migrated,
        "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.columns"
        " WHERE column_name = 'version_num'",
    )
    await sql(migrated, f"UPDATE {table} SET version_num = '0001'")
    older = await examine()
    await sql(migrated, f"UPDATE {table} SET version_num = '9999'")
    newer = await examine()

    assert (older["migrations"].level, "at 0001, this Holdfast needs" in older["migrations"].figure) == ("fail", True)
    assert (newer["migrations"].level, "a newer one was here" in newer["migrations"].figure) == ("fail", True)


async def test_a_table_without_row_security_is_named_with_what_turns_it_on(migrated: str, examine: Examine) -> None:
    await sql(migrated, "ALTER TABLE holdfast.answers DISABLE ROW LEVEL SECURITY")
    bare = (await examine())["row security"]
    await sql(migrated, bare.fix)

    mended = (await examine())["row security"]

    assert (bare.level, bare.figure.partition(": ")[2]) == ("fail", "answers")
    assert mended.level == "ok"


async def test_a_role_that_commits_without_the_disk_fails(migrated: str, examine: Examine) -> None:
    name = migrated.rsplit("/", 1)[1]
    await sql(migrated, f"ALTER DATABASE {name} SET synchronous_commit = off")

    line = (await examine())["synchronous commit"]

    assert (line.level, line.figure) == ("fail", "off: a crash may lose replies that were paid for")


async def test_a_read_only_database_fails(migrated: str, examine: Examine) -> None:
    name = migrated.rsplit("/", 1)[1]
    await sql(migrated, f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    line = (await examine())["postgresql"]

    assert (line.level, line.figure) == ("fail", "answers, but is read-only")


REFUSED = [
    ("no such database", lambda url: f"{url}_absent", "it has no database of that name", "createdb -h 127.0.0.1"),
    ("wrong password", lambda url: re.sub(r":[0-9a-f]+@", ":wrong@", url), "refuses the user or the", "DATABASE_URL="),
    ("unknown user", lambda url: re.sub(r"//\w+:", "//nobody:", url), "refuses the user or the", "DATABASE_URL="),
]


@pytest.mark.parametrize(("_what", "change", "why", "fix"), REFUSED)
async def test_a_refusal_is_named_and_shows_no_password(
    database_url: str, examine: Examine, _what: str, change: Any, why: str, fix: str
) -> None:
    began = monotonic()

    lines = await examine(database_url=change(database_url))

    assert monotonic() - began < 10
    assert (lines["postgresql"].level, why in lines["postgresql"].figure) == ("fail", True)
    assert lines["postgresql"].fix.startswith(fix)
    assert [name for name in lines if name in NAMES[16:27]] == ["postgresql"]
    assert lines["redis"].level == "ok"
    assert database_url.split(":")[2].split("@", maxsplit=1)[0] not in repr(lines)


async def test_a_postgresql_that_is_away_is_one_failing_line(own_folder: Path, examine: Examine) -> None:
    server = PostgresServer(own_folder / "postgres")
    server.start()
    server.kill()
    began = monotonic()

    lines = await examine(database_url=server.url)

    assert monotonic() - began < 10
    assert (lines["postgresql"].level, "does not answer" in lines["postgresql"].figure) == ("fail", True)
    assert lines["postgresql"].fix.startswith("pg_isready -h 127.0.0.1")
    assert "migrations" not in lines


async def test_an_address_that_is_none_is_a_failing_line(examine: Examine) -> None:
    lines = await examine(database_url="mysql://127.0.0.1/x")

    assert (lines["postgresql"].level, lines["postgresql"].fix.startswith("DATABASE_URL=")) == ("fail", True)
    assert lines["redis"].level == "ok"


async def test_both_servers_away_are_told_of_within_seconds(examine: Examine) -> None:
    began = monotonic()

    lines = await examine(redis_url_given="redis://127.0.0.1:1/0", database_url="postgresql://u:p@127.0.0.1:1/d")

    assert monotonic() - began < 10
    assert [line.name for line in lines.values() if line.level == "fail"] == ["redis", "postgresql"]


async def test_backups_are_fresh_stale_or_unknown_by_their_stamps(
    migrated: str, examine: Examine, tmp_path: Path
) -> None:
    stamps = tmp_path / "stamps"
    stamps.mkdir()
    unknown = await examine(backup_stamp=stamps)
    (stamps / "redis").touch()
    (stamps / "postgresql").touch()
    os.utime(stamps / "postgresql", (time.time() - 48 * 3600,) * 2)
    known = await examine(backup_stamp=stamps)
    patient = await examine(backup_stamp=stamps, backup_hours=72)

    def levels(lines: dict[str, Any]) -> list[str]:
        return [lines[f"{server} backup"].level for server in ("redis", "postgresql")]

    assert levels(unknown) == ["warn", "warn"]
    assert f"touch {stamps}/redis" in unknown["redis backup"].fix
    assert levels(known) == ["ok", "warn"]
    assert known["postgresql backup"].figure == "a backup 2 days ago"
    assert levels(patient) == ["ok", "ok"]


async def test_a_model_in_use_without_a_key_fails(migrated: str, examine: Examine) -> None:
    await sql(migrated, "INSERT INTO holdfast.categories (name) VALUES ('spring')")
    await sql(
        migrated,
        "INSERT INTO holdfast.generations (id, category_id, state, fingerprint, config, n_answers)"
        """ SELECT gen_random_uuid(), id, 'active', 'f', '{"model": "openai:my-own"}', 1 FROM holdfast.categories""",
    )

    lines = await examine(openai_key=None, anthropic_key=None)

    assert (lines["provider keys"].level, "openai:my-own is in use" in lines["provider keys"].figure) == ("fail", True)
    assert lines["prices"].level == "fail"
