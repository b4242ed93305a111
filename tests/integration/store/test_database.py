"""Transactions survive the server's restarts; migrations are run by one at a time."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from holdfast.embedded import PostgresServer
from holdfast.errors import NotConfigured, Unavailable
from holdfast.store import Connection, Database, answers
from holdfast.store import database as database_module
from holdfast.store.answers import NewAnswer
from holdfast.store.copying import copy_rows
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


async def test_a_copy_whose_server_dies_while_it_takes_no_more_does_not_wait_for_ever(own_folder: Path) -> None:
    server = PostgresServer(own_folder / "pg")
    await asyncio.to_thread(server.start)
    database = Database(server.url, max_wait=0.2)
    await database.migrate()
    sent = 0

    async def rows(backend: int) -> AsyncIterator[tuple[str]]:
        nonlocal sent
        os.kill(backend, signal.SIGSTOP)  # the COPY has begun, and nobody reads what it sends
        while True:
            sent += 1
            yield ("x" * 1000,)

    async def kill_when_full(backend: int) -> None:
        seen = 0
        while sent == 0 or sent != seen:
            seen = sent
            await asyncio.sleep(0.2)  # a stopped server's buffers are full when nothing was sent for so long
        os.kill(backend, signal.SIGKILL)

    async def work(connection: Connection) -> None:
        await connection.execute(text("CREATE TEMP TABLE incoming (text text) ON COMMIT DROP"))
        backend = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        async with asyncio.TaskGroup() as group:
            killing = group.create_task(kill_when_full(backend))
            try:
                await copy_rows(connection, "incoming", rows(backend), columns=["text"])
            except ConnectionError as error:
                gone.append(error)
            await killing
        raise gone[0]

    gone: list[ConnectionError] = []
    with pytest.raises(Unavailable):
        await asyncio.wait_for(database.run(work, repeat=False), 30)
    assert sent > 100
    assert [str(error) for error in gone] == ["the connection to PostgreSQL was lost in the middle of a COPY"]
    await database.close()
    await asyncio.to_thread(server.kill)


async def test_a_peer_that_accepts_and_says_nothing_is_away_within_the_wait_and_one_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database_module, "CONNECT_TIMEOUT", 0.5)
    tries = 0

    def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        writers.append(writer)

    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    database = Database(f"postgresql://u:p@127.0.0.1:{port}/none?ssl=disable", max_wait=1.2)

    with pytest.raises(Unavailable):
        await database.run(lambda c: c.execute(text("SELECT 1")))

    # Only sleeps counted, 1.2 s of them would have been six tries of half a second each.
    assert 1 <= tries <= 3
    await database.close()
    for writer in writers:
        writer.close()
    server.close()
    await server.wait_closed()


async def test_an_error_of_the_work_s_own_files_is_no_outage(database: Database) -> None:
    async def work(connection: Connection) -> None:
        await connection.execute(text("SELECT 1"))
        raise FileNotFoundError("the table's folder is gone")

    with pytest.raises(FileNotFoundError, match="folder is gone"):
        await database.run(work)


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


async def test_each_statement_is_committed_alone(database: Database) -> None:
    await database.migrate()
    add = text("INSERT INTO holdfast.categories (name) VALUES (:name)")

    async def half(connection: Connection) -> None:
        await connection.execute(add, {"name": "kept"})
        raise ValueError("what comes later fails")

    for way in (database.each, database.run):
        with pytest.raises(ValueError, match="later"):
            await way(half)

    count = text("SELECT count(*) FROM holdfast.categories")
    assert await database.run(lambda connection: connection.scalar(count)) == 1
