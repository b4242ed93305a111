"""Transactions survive the server's restarts; migrations are run by one at a time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from holdfast.embedded import PostgresServer
from holdfast.errors import NotConfigured, Unavailable
from holdfast.store import Connection, Database, answers
from holdfast.store.answers import NewAnswer
from holdfast.store.tables import metadata


async def test_many_processes_may_migrate_at_once(database_url: str) -> None:
    opened = [Database(database_url) for _ in range(4)]

    await asyncio.gather(*(database.migrate() for database in opened))

    there = await opened[0].run(_table_names)
    assert there >= {table.name for table in metadata.sorted_tables}
    for database in opened:
        await database.close()


async def test_the_migrations_make_what_the_tables_say(database_url: str) -> None:
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    database = Database(database_url)
    await database.migrate()

    def differences(connection: object) -> list[object]:
        options = {"include_schemas": True, "include_name": _ours, "version_table_schema": "holdfast"}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))  # type: ignore[arg-type]

    found = await database.run(lambda connection: connection.run_sync(differences))
    await database.close()
    assert found == []


async def test_row_security_is_on_for_every_table(database: Database) -> None:
    query = text(
        "SELECT relname FROM pg_class WHERE relnamespace = 'holdfast'::regnamespace AND relkind = 'r'"
        " AND NOT relrowsecurity AND relname <> 'alembic_version'"
    )

    open_tables = await database.run(lambda connection: connection.execute(query))

    assert open_tables.scalars().all() == []


async def test_a_transaction_outlives_a_killed_server(own_folder: Path) -> None:
    server = PostgresServer(own_folder / "pg")
    await asyncio.to_thread(server.start)
    database = Database(server.url, max_wait=None)
    await database.run(lambda c: c.execute(text("CREATE TABLE kept (n int)")))
    await asyncio.to_thread(server.kill)

    writing = asyncio.create_task(database.run(lambda c: c.execute(text("INSERT INTO kept VALUES (1)"))))
    await asyncio.to_thread(server.start)
    await writing

    assert (await database.run(lambda c: c.execute(text("SELECT count(*) FROM kept")))).scalar_one() >= 1
    await database.close()
    await asyncio.to_thread(server.stop)


async def test_a_copy_that_the_server_s_death_cuts_off_is_an_outage_and_not_a_mistake(own_folder: Path) -> None:
    server = PostgresServer(own_folder / "pg")
    await asyncio.to_thread(server.start)
    database = Database(server.url, max_wait=0.2)
    await database.migrate()

    async def rows() -> AsyncIterator[NewAnswer]:
        yield NewAnswer(position=0, external_id=None, text="x", columns=())
        await asyncio.to_thread(server.kill)
        for position in range(200_000):  # more than any buffer between us and the server holds
            yield NewAnswer(position=position, external_id=None, text="x" * 100, columns=())

    async def work(connection: Connection) -> None:
        await answers.add_answers(connection, category_id=1, import_id=1, rows=rows())

    with pytest.raises(Unavailable):
        await database.run(work, repeat=False)
    await database.close()


async def test_a_server_that_stays_away_is_a_clear_error_within_the_wait() -> None:
    database = Database("postgresql://u:p@127.0.0.1:1/none", max_wait=0.3)

    with pytest.raises(Unavailable, match="PostgreSQL does not answer"):
        await database.ping()
    with pytest.raises(Unavailable):
        await database.run(lambda c: c.execute(text("SELECT 1")))


@pytest.mark.parametrize("url", ["mysql://u@h/d", "not a url"])
def test_a_url_that_is_no_postgresql_is_refused(url: str) -> None:
    with pytest.raises(NotConfigured, match="DATABASE_URL"):
        Database(url)


async def test_a_mistake_in_the_work_is_raised_and_not_repeated(database: Database) -> None:
    times = 0

    async def work(connection: Connection) -> None:
        nonlocal times
        times += 1
        await connection.execute(text("SELECT no_such_column"))

    with pytest.raises(Exception, match="no_such_column"):
        await database.run(work)

    assert times == 1


async def _table_names(connection: Connection) -> set[str]:
    rows = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'holdfast'"))
    return set(rows.scalars())


def _ours(name: str | None, kind: str, parents: object) -> bool:
    return kind != "schema" or name == "holdfast"
