"""PostgresServer: a real PostgreSQL that keeps what it committed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from holdfast.embedded import PostgresServer
from holdfast.embedded.processes import Process
from holdfast.errors import EmbeddedError, NotConfigured


@pytest.fixture(scope="module")
def folder(servers_folder: Path) -> Path:
    return servers_folder / "postgres of this module"


@pytest.fixture
def postgres(folder: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL these tests may kill; its folder is made once for the module."""
    server = PostgresServer(folder)
    server.start()
    yield server
    server.stop()


async def test_a_killed_postgres_comes_back_with_every_committed_row(postgres: PostgresServer) -> None:
    url = postgres.url
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE paid (call int)")
    for call in range(100):
        await connection.execute("INSERT INTO paid VALUES ($1)", call)

    postgres.kill()
    connection.terminate()
    postgres.start()

    assert postgres.url == url
    assert postgres.sql("SELECT count(*), sum(call) FROM paid") == "100|4950"


async def test_an_orphaned_backend_in_the_middle_of_a_query_does_not_keep_postgres_down(
    postgres: PostgresServer,
) -> None:
    connection = await asyncpg.connect(postgres.url)
    backend = Process(await connection.fetchval("SELECT pg_backend_pid()"))
    os.kill(backend.pid, signal.SIGSTOP)  # a backend that cannot notice that its postmaster died

    postgres.kill()
    assert backend.alive
    postgres.start()

    assert not backend.alive
    assert postgres.sql("SELECT 1") == "1"
    connection.terminate()


def test_a_stopped_postgres_is_gone_with_all_its_processes(postgres: PostgresServer) -> None:
    postmaster = psutil.Process(postgres.pid)
    backends = postmaster.children(recursive=True)

    postgres.stop()

    assert backends
    assert not postgres.running
    assert not [process for process in (postmaster, *backends) if process.is_running()]


def test_a_pid_file_whose_pid_was_given_to_another_program_does_not_block(
    postgres: PostgresServer, folder: Path
) -> None:
    stale = (folder / "data" / "postmaster.pid").read_text().splitlines()
    postgres.kill()
    another = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (folder / "data" / "postmaster.pid").write_text("\n".join([str(another.pid), *stale[1:]]))

    postgres.start()

    assert postgres.sql("SELECT 1") == "1"
    assert another.poll() is None
    another.communicate()


def test_an_empty_pid_file_does_not_block(postgres: PostgresServer, folder: Path) -> None:
    postgres.kill()
    (folder / "data" / "postmaster.pid").write_text("")

    postgres.start()

    assert postgres.sql("SELECT 1") == "1"


def test_a_postgres_left_behind_by_a_dead_owner_is_adopted(postgres: PostgresServer, folder: Path) -> None:
    successor = PostgresServer(folder)

    successor.start()

    assert (successor.pid, successor.url) == (postgres.pid, postgres.url)
    successor.stop()
    assert not postgres.running


def test_a_lost_password_file_is_made_anew(postgres: PostgresServer, folder: Path) -> None:
    postgres.stop()
    (folder / "password").unlink()
    successor = PostgresServer(folder)

    successor.start()

    assert successor.sql("SELECT 1") == "1"
    assert successor.url != postgres.url
    successor.stop()


def test_a_leftover_that_does_not_know_our_password_is_replaced(postgres: PostgresServer, folder: Path) -> None:
    (folder / "password").unlink()
    successor = PostgresServer(folder)

    successor.start()

    assert successor.pid != postgres.pid
    assert not postgres.running
    successor.stop()


def test_postgres_syncs_its_commits_speaks_utf8_and_knows_all_letters(postgres: PostgresServer) -> None:
    def shown(name: str) -> str:
        return postgres.sql(f"SHOW {name}")

    assert (shown("fsync"), shown("synchronous_commit"), shown("full_page_writes")) == ("on", "on", "on")
    assert (shown("server_encoding"), shown("lc_messages")) == ("UTF8", "C")
    assert postgres.sql("SELECT upper('grün')") == "GRÜN"


def test_a_failed_statement_leaves_no_answer_s_text_in_the_log(postgres: PostgresServer, folder: Path) -> None:
    postgres.sql("CREATE TABLE IF NOT EXISTS answers (text text CHECK (length(text) < 3))")

    with pytest.raises(EmbeddedError, match="violates check"):
        postgres.sql("INSERT INTO answers VALUES ('my nurse was kind')")

    log = (folder / "postgres.log").read_text()
    assert "violates check" in log
    assert "my nurse" not in log


async def test_a_connection_without_the_password_is_refused(postgres: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.url, password="guessed")


def test_the_password_is_private_and_not_in_the_process_list(postgres: PostgresServer, folder: Path) -> None:
    password = (folder / "password").read_text()
    commands = [" ".join(process.cmdline()) for process in psutil.process_iter() if process.pid == postgres.pid]

    assert password in postgres.url
    assert commands
    assert not [command for command in commands if password in command]
    assert (folder / "password").stat().st_mode & 0o077 == 0
    assert password not in (folder / "postgres.log").read_text()


def test_environment_variables_of_postgres_do_not_reach_the_server(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.stop()
    for name, value in {"PGDATA": "/nowhere", "PGPORT": "1", "PGOPTIONS": "-c x=y", "LC_ALL": "tlh_QO"}.items():
        monkeypatch.setenv(name, value)

    postgres.start()

    assert postgres.sql("SELECT 1") == "1"


def test_a_data_folder_of_a_version_that_is_not_installed_says_so(own_folder: Path) -> None:
    (own_folder / "data").mkdir()
    (own_folder / "data" / "PG_VERSION").write_text("9\n")

    with pytest.raises(NotConfigured, match=r"PostgreSQL 9.*DATABASE_URL"):
        PostgresServer(own_folder).start()


def test_what_postgres_said_is_in_the_error_when_its_data_are_broken(postgres: PostgresServer, folder: Path) -> None:
    postgres.stop()
    control = folder / "data" / "global" / "pg_control"
    control.rename(control.with_name("kept"))

    with pytest.raises(EmbeddedError, match="could not find the database system"):
        postgres.start()

    control.with_name("kept").rename(control)


def test_an_interrupted_first_start_leaves_nothing_that_looks_whole(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    server = PostgresServer(own_folder / ("long " * 30) / "Grüße, 你好" / 'quo"te')
    monkeypatch.setattr("holdfast.embedded.cluster.run_alone", cut)
    with pytest.raises(KeyboardInterrupt):
        server.start()
    monkeypatch.undo()

    server.start()

    assert server.sql("SELECT current_database()") == "holdfast"
    server.stop()


async def test_a_test_database_is_empty_and_of_its_own(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)

    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")

    assert tables == 0
    await connection.close()
