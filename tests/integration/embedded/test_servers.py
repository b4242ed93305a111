"""open_servers: one owner a folder, servers that come back, owners that may be killed."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis
from tests.integration.embedded.owners import Owner, kill, patient

from holdfast.embedded import Servers, open_servers
from holdfast.embedded.processes import Process, processes_naming, wait_until
from holdfast.errors import EmbeddedError

FORKING = """
import os, signal, sys
from pathlib import Path
from holdfast.embedded import open_servers
with open_servers(Path(sys.argv[1]), postgres=False) as servers:
    child = os.fork()
    if child:
        print(child, flush=True)
    signal.pause()
"""


@pytest.fixture(scope="module")
def home(servers_folder: Path) -> Path:
    return servers_folder / "home of the module, größer"


@pytest.fixture
def servers(home: Path) -> Iterator[Servers]:
    with open_servers(home) as servers:
        yield servers


def test_a_killed_redis_comes_back_by_itself_on_the_same_port_with_its_data(servers: Servers) -> None:
    client, url, pid = patient(servers.redis_url), servers.redis_url, servers.redis_pid
    client.delete("acknowledged")
    client.rpush("acknowledged", *range(500))

    kill(pid)

    assert client.llen("acknowledged") == 500
    assert servers.redis_url == url
    assert wait_until(lambda: servers.redis_pid not in {None, pid}, limit=60)
    client.close()


async def test_a_killed_postgres_comes_back_by_itself_with_its_committed_rows(servers: Servers) -> None:
    url, pid = servers.database_url, servers.postgres_pid
    connection = await asyncpg.connect(url)
    await connection.execute("DROP TABLE IF EXISTS owed")
    await connection.execute("CREATE TABLE owed AS SELECT generate_series(1, 500) AS unit")

    kill(pid)

    connection.terminate()
    assert wait_until(lambda: servers.postgres_pid not in {None, pid}, limit=60)
    assert servers.database_url == url
    again = await patient_connect(url)
    assert await again.fetchval("SELECT count(*) FROM owed") == 500
    await again.close()


async def patient_connect(url: str) -> asyncpg.Connection:
    for _ in range(1000):
        try:
            return await asyncpg.connect(url)
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(0.05)
    raise AssertionError("PostgreSQL did not come back")


def test_a_redis_that_dies_again_and_again_is_started_again_and_again(servers: Servers) -> None:
    client = patient(servers.redis_url)

    for death in range(4):
        pid = servers.redis_pid
        client.set("death", death)
        kill(pid)
        assert client.get("death") == str(death)
        assert wait_until(lambda pid=pid: servers.redis_pid not in {None, pid}, limit=60)  # type: ignore[misc]
    client.close()


def test_closing_ends_every_process_of_the_folder(home: Path) -> None:
    servers = open_servers(home)
    postmaster = psutil.Process(servers.postgres_pid)
    ours = [postmaster, *postmaster.children(recursive=True), psutil.Process(servers.redis_pid)]

    servers.close()
    servers.close()

    assert not [process for process in ours if process.is_running()]
    assert not (home / "servers.json").exists()


def test_servers_of_a_killed_owner_are_adopted_with_their_data(home: Path) -> None:
    owner = Owner(home)
    _, url = owner.said()
    client = patient(url)
    client.set("written by", "the killed owner")
    running = json.loads((home / "servers.json").read_text())["pids"]

    owner.kill()

    with open_servers(home) as servers:
        assert servers.owned
        assert {"redis": servers.redis_pid, "postgres": servers.postgres_pid} == running
        assert client.get("written by") == "the killed owner"
        kill(servers.redis_pid)  # an adopted server is kept up as well
        assert client.get("written by") == "the killed owner"
    client.close()
    assert not [kind for kind, pid in running.items() if Process(pid).alive]


def test_servers_that_died_with_their_owner_are_replaced_with_their_data(home: Path) -> None:
    owner = Owner(home)
    _, url = owner.said()
    with redis.Redis.from_url(url) as client:
        client.set("last words", "kept")
    running = json.loads((home / "servers.json").read_text())["pids"]

    owner.kill()
    for pid in running.values():
        kill(pid)

    with open_servers(home) as servers, patient(servers.redis_url) as client:
        assert client.get("last words") == "kept"


def test_servers_that_lost_their_owner_while_it_restarted_redis_leave_whole_data(home: Path) -> None:
    owner = Owner(home)
    _, url = owner.said()
    client = patient(url)
    client.set("before", "kept")
    kill(json.loads((home / "servers.json").read_text())["pids"]["redis"])
    owner.kill()

    with open_servers(home) as servers, patient(servers.redis_url) as again:
        assert again.get("before") == "kept"
    client.close()


def test_an_owner_killed_while_it_starts_leaves_a_folder_that_works(own_folder: Path) -> None:
    for seen in ("postgres", "postgres/data", "servers.json"):
        owner = Owner(own_folder)
        assert wait_until((own_folder / seen).exists, limit=60)
        owner.kill()

    with open_servers(own_folder) as servers, patient(servers.redis_url) as client:
        assert client.ping()
        assert servers.postgres_pid is not None


def test_a_second_process_attaches_and_stops_nothing(home: Path, servers: Servers) -> None:
    second = Owner(home)

    assert second.said() == ["attached", servers.redis_url]

    second.leave()
    with patient(servers.redis_url) as client:
        assert client.ping()


def test_a_process_that_comes_while_the_owner_starts_waits_for_it(own_folder: Path) -> None:
    owners = [Owner(own_folder, postgres=False) for _ in range(3)]

    said = sorted(owner.said() for owner in owners)

    assert [word for word, _ in said] == ["attached", "attached", "owned"]
    assert len({url for _, url in said}) == 1
    for owner in owners:
        owner.leave()
    assert not list(processes_naming(lambda command: any(str(own_folder) in word for word in command)))


def test_a_forked_child_that_outlives_the_owner_does_not_lock_out_the_next_one(own_folder: Path) -> None:
    owner = Owner(own_folder, script=FORKING)
    (child,) = owner.said()
    os.kill(owner.child.pid, signal.SIGKILL)
    owner.child.wait()

    with open_servers(own_folder, postgres=False) as servers:
        assert servers.owned
        assert Process(int(child)).alive

    kill(int(child))
    owner.child.communicate()


def test_an_attached_process_sees_the_process_ids_after_a_restart(home: Path, servers: Servers) -> None:
    with open_servers(home) as attached:
        pid = servers.redis_pid
        assert not attached.owned
        assert attached.redis_pid == pid

        kill(pid)

        assert wait_until(lambda: attached.redis_pid not in {None, pid}, limit=60)
        assert attached.redis_url == servers.redis_url


def test_an_owner_without_the_wanted_server_is_said_at_once(own_folder: Path) -> None:
    with open_servers(own_folder, postgres=False) as servers:
        with pytest.raises(EmbeddedError, match="runs no postgres"):
            open_servers(own_folder)
        with pytest.raises(EmbeddedError, match="without postgres"):
            _ = servers.database_url


def test_nothing_is_started_or_written_when_both_servers_are_given(own_folder: Path) -> None:
    with open_servers(own_folder / "home", redis=False, postgres=False) as servers:
        assert not servers.owned

    assert not (own_folder / "home").exists()


def test_an_owner_that_never_gets_ready_is_not_waited_for_for_ever(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.embedded.servers.ATTACH_LIMIT", 0.2)
    with open_servers(own_folder, postgres=False):
        (own_folder / "servers.json").unlink()

        with pytest.raises(EmbeddedError, match="HOLDFAST_HOME"):
            open_servers(own_folder, postgres=False)


def test_two_homes_run_side_by_side_from_the_same_instant(own_folder: Path) -> None:
    together = threading.Barrier(4)

    def opened(number: int) -> Servers:
        together.wait()
        return open_servers(own_folder / str(number), postgres=number < 2)

    with ThreadPoolExecutor(4) as pool:
        several = list(pool.map(opened, range(4)))

    assert len({servers.redis_url for servers in several}) == 4
    for servers in several:
        with patient(servers.redis_url) as client:
            assert client.ping()
        servers.close()


def test_a_start_that_fails_halfway_stops_what_it_started(own_folder: Path) -> None:
    (own_folder / "redis").write_text("a file where a folder should be")

    with pytest.raises(EmbeddedError, match="HOLDFAST_HOME"):
        open_servers(own_folder)

    assert not list(processes_naming(lambda command: any(str(own_folder) in word for word in command)))
    (own_folder / "redis").unlink()
    with open_servers(own_folder) as servers:
        assert servers.owned
