"""Whatever PostgreSQL does while calls are paid for: each reply is kept until it could be stored, and paid for once."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import structlog
from tests.faults.service.paid import CLUSTERS, MODEL, Record, check_resumed
from tests.faults.service.stack import Stack, generation_of
from tests.service_worker import working

from holdfast.embedded import PostgresServer, RedisServer
from holdfast.service import Service, open_service
from holdfast.stub import StubProvider

DOWN = 2.0  # seconds a killed PostgreSQL is away


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Calls are under way; a fault is about to come."""

    postgres: PostgresServer
    said: list[Any]  # what was logged

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["asyncpg.Connection"]:
        connection = await asyncpg.connect(self.postgres.url)
        try:
            yield connection
        finally:
            await connection.close()

    async def noticed(self) -> None:
        """Wait until a transaction has failed for it."""
        async with asyncio.timeout(60):
            while not any(line["event"] == "database connection lost" for line in self.said):
                await asyncio.sleep(0.02)


@asynccontextmanager
async def killed(scene: Scene) -> AsyncIterator[None]:
    await asyncio.to_thread(scene.postgres.kill)
    yield
    await scene.noticed()
    await asyncio.sleep(DOWN)
    await asyncio.to_thread(scene.postgres.start)


@asynccontextmanager
async def cut_off(scene: Scene) -> AsyncIterator[None]:
    """Every connection ended, again and again for two seconds."""
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    async with scene.connected() as connection:
        yield
        for _ in range(20):
            await connection.execute(f"{end} AND pid <> pg_backend_pid()")
            await asyncio.sleep(0.1)
    await scene.noticed()


@asynccontextmanager
async def used_up(scene: Scene) -> AsyncIterator[None]:
    """No connection is left: ours were cut, and somebody else took all there are."""
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast'"
    taken: list[asyncpg.Connection] = []
    async with scene.connected() as connection:
        for _ in range(2):  # what ours took again meanwhile is taken the second time
            await connection.execute(cut)
            with contextlib.suppress(asyncpg.TooManyConnectionsError):
                while True:
                    taken.append(await asyncpg.connect(scene.postgres.url))
        yield
        await scene.noticed()
        await asyncio.sleep(DOWN)
    for each in taken:
        each.terminate()


# The lock under which a call is settled, of one of those who wait for its row (the key's halves: pg_locks' manual).
TAKE_THEIR_LOCK = """
    SELECT 1, pg_advisory_xact_lock((classid::bigint << 32) | objid::bigint) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid IN (SELECT pid FROM pg_locks WHERE NOT granted) LIMIT 1
"""


@asynccontextmanager
async def deadlocked(scene: Scene) -> AsyncIterator[None]:
    """Somebody holds the calls' rows and wants the lock under which one is settled."""
    async with scene.connected() as connection:
        await connection.execute("SET deadlock_timeout = '1h'")  # the other finds out, and is rolled back
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM holdfast.calls FOR UPDATE")
            yield
            async with asyncio.timeout(30):
                # Within the second after which a waiting backend looks for a deadlock: it looks once.
                while await connection.fetchval(TAKE_THEIR_LOCK) is None:
                    await asyncio.sleep(0.02)
    await scene.noticed()


@asynccontextmanager
async def not_serializable(scene: Scene) -> AsyncIterator[None]:
    """Every transaction from now on is serializable, and some cannot be."""
    async with scene.connected() as connection:
        await connection.execute("ALTER DATABASE postgres SET default_transaction_isolation = 'serializable'")
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast'"
        await connection.execute(cut)
    yield
    await scene.noticed()


FAULTS = [killed, cut_off, used_up, deadlocked, not_serializable]


@pytest.fixture
def postgres(own_folder: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(own_folder / "own postgres")
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def service(
    paying: StubProvider, own_redis: RedisServer, postgres: PostgresServer, tmp_path: Path
) -> AsyncIterator[Service]:
    stack = Stack(redis=own_redis, database_url=postgres.url, home=tmp_path)
    async with open_service(stack.settings()) as opened:
        yield opened


async def under_way(service: Service, provider: StubProvider) -> UUID:
    """A generation whose labels are all being bought: billed, and their replies held."""
    generation_id = await generation_of(service, clusters=CLUSTERS, model=MODEL)
    await provider.waiting(CLUSTERS, within=90)
    return generation_id


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_postgresql_that_fails_under_paid_calls_loses_no_reply(
    service: Service,
    paying: StubProvider,
    postgres: PostgresServer,
    record_property: Record,
    fault: Callable[[Scene], AbstractAsyncContextManager[None]],
) -> None:
    paying.hold()
    with structlog.testing.capture_logs() as said:
        async with working(service):
            generation_id = await under_way(service, paying)

            async with fault(Scene(postgres=postgres, said=said)):
                paying.release()

            await check_resumed(service, paying, generation_id, record_property)


@pytest.fixture
def small_disk(own_folder: Path, postgres: PostgresServer) -> Iterator[Path]:
    """A disk of one megabyte that PostgreSQL may write to."""
    disk = own_folder / "small disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False).returncode:
        pytest.skip("only root may mount a disk that is small enough to fill")
    owner = Path(f"/proc/{postgres.pid}").stat()
    os.chown(disk, owner.st_uid, owner.st_gid)
    yield disk
    postgres.kill()
    subprocess.run(["umount", "--lazy", disk], check=True)


# Leaves no room in the pages of the calls under way: their replies need new ones.
FULL_PAGES = """
    INSERT INTO holdfast.calls (id, step, fingerprint, model, state, reserved_usd)
    SELECT gen_random_uuid(), 'filler', '', '', 'failed', 0 FROM generate_series(1, 500)
"""


async def test_replies_that_a_full_disk_could_not_take_are_stored_when_there_is_room(
    service: Service, paying: StubProvider, postgres: PostgresServer, small_disk: Path, record_property: Record
) -> None:
    await asyncio.to_thread(postgres.sql, f"CREATE TABLESPACE small LOCATION '{small_disk}'")
    await asyncio.to_thread(postgres.sql, "ALTER TABLE holdfast.calls SET TABLESPACE small")
    paying.hold()
    with structlog.testing.capture_logs() as said:
        async with working(service):
            generation_id = await under_way(service, paying)
            await asyncio.to_thread(postgres.sql, FULL_PAGES)
            filling = small_disk / "filling"
            with contextlib.suppress(OSError), filling.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))

            paying.release()
            await Scene(postgres=postgres, said=said).noticed()
            full = await service.generations.status(generation_id)
            filling.unlink()

            await check_resumed(service, paying, generation_id, record_property)

    assert full.n_completed < CLUSTERS
    assert {line["error"] for line in said if line["event"] == "database connection lost"} <= {
        "DBAPIError",
        "OperationalError",
    }
