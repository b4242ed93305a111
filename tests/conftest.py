"""Real servers for the tests that need them, and the guards that hold for all tests."""

import asyncio
import contextlib
import fcntl
import inspect
import os
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from holdfast.embedded import PostgresServer, RedisServer
from holdfast.embedded.processes import processes_naming

pytest_plugins = ["tests.stub_provider"]

# The embedding model is converted once a machine, not once a test: a test's data folder is new, its cache is not.
os.environ["HOLDFAST_CACHE"] = str(Path(tempfile.gettempdir()) / f"holdfast-test-cache-{os.getuid()}")

PREFIX = "holdfast-tests-"
UNIT = Path(__file__).parent / "unit"


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """This session's (each xdist worker's) folder for servers; fails if one of them is still alive at the end."""
    _sweep_dead_sessions()
    unlocked = Path(tempfile.mkdtemp(prefix="new-")).resolve()
    with (unlocked / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = unlocked.rename(unlocked.with_name(f"{PREFIX}{unlocked.name}"))  # from now on others' sweeps see it
        yield folder
        alive = _end_servers_below(folder)
        shutil.rmtree(folder)
    assert not alive, f"the suite left servers running: {alive}"


@pytest.fixture(scope="session")
def redis_server(servers_folder: Path) -> Iterator[RedisServer]:
    """The session's Redis; do not stop or kill it (own_redis is for that)."""
    server = RedisServer(servers_folder / "redis")
    server.start()
    with redis.Redis.from_url(server.url) as client:
        client.config_set("appendfsync", "everysec")  # nobody kills this one; a sync a write would only cost time
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The session's Redis, emptied."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def own_redis(own_folder: Path) -> Iterator[RedisServer]:
    """A fresh Redis of the test's own, to stop, kill and start again."""
    server = RedisServer(own_folder / "own redis")
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def postgres_server(servers_folder: Path) -> Iterator[PostgresServer]:
    """The session's PostgreSQL; do not stop or kill it."""
    server = PostgresServer(servers_folder / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh, empty database, dropped afterwards with whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    postgres_server.sql(f"CREATE DATABASE {name} TEMPLATE template0")
    yield f"{postgres_server.url.rsplit('/', 1)[0]}/{name}"
    postgres_server.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def own_folder(servers_folder: Path) -> Iterator[Path]:
    """A folder for servers that the test starts itself; those it leaves running, as a failed test does, are killed."""
    folder = Path(tempfile.mkdtemp(prefix="own-", dir=servers_folder))
    yield folder
    _end_servers_below(folder)
    shutil.rmtree(folder)


def _sweep_dead_sessions() -> None:
    """End the servers of sessions that were killed: nobody holds their folder's lock any more."""
    for folder in Path(tempfile.gettempdir()).resolve().glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _end_servers_below(folder)
            shutil.rmtree(folder)


def _end_servers_below(folder: Path) -> list[int]:
    alive = list(processes_naming(lambda command: any(word.startswith(f"{folder}/") for word in command)))
    for process in alive:
        process.end(signal.SIGKILL)
    return [process.pid for process in alive]


@pytest.fixture(autouse=True)
def _no_sockets_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A unit test that connects anywhere fails, also when the code under test swallows the error."""
    if not request.path.is_relative_to(UNIT):
        yield
        return
    tried: list[object] = []

    def refuse(_socket: socket.socket, address: object) -> None:
        tried.append(address)
        raise OSError(f"a unit test may not connect to {address!r}: move the test to tests/integration")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    yield
    assert not tried, f"a unit test may not connect anywhere; it tried {tried}"


@pytest.fixture(autouse=True)
def _no_tasks_left(request: pytest.FixtureRequest) -> None:
    """Set up before, and so checked after, every other fixture of an async test."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("_task_guard")


@pytest.fixture
async def _task_guard() -> AsyncIterator[None]:
    yield
    left: set[asyncio.Task[Any]] = asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]
    if left:
        _, left = await asyncio.wait(left, timeout=0.2)  # those that were cancelled a moment ago may finish
    assert not left, f"the test left tasks running: {[task.get_coro() for task in left]}"
