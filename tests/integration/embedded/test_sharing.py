"""Servers that several processes use: whoever leaves or dies, they stay up for the others; the last one stops them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from tests.integration.embedded.owners import Owner, kill, patient

from holdfast.embedded import open_servers
from holdfast.embedded.processes import Process, processes_naming, wait_until

LIMIT = 60

# Comes and goes; while it is there, the servers answer. No retry hides a server that was stopped under it.
VISITOR = """
import random, sys, time
from pathlib import Path
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from holdfast.embedded import open_servers
chance = random.Random(int(sys.argv[2]))
for visit in range(int(sys.argv[3])):
    with open_servers(Path(sys.argv[1]), postgres=False) as servers:
        with redis.Redis.from_url(servers.redis_url, retry=Retry(NoBackoff(), 0)) as client:
            client.incr("visits")
            time.sleep(chance.random() * 0.1)
            client.incr("farewells")
            if servers.owned:
                client.incr("visits as the owner")
"""

FORKED = """
import os, sys
from pathlib import Path
from holdfast.embedded import open_servers
servers = open_servers(Path(sys.argv[1]), postgres=False)
child = os.fork()
if not child:
    servers.close()
    os._exit(0)
os.waitpid(child, 0)
print(servers.owned, servers.redis_url, flush=True)
sys.stdin.readline()
servers.close()
"""


@pytest.fixture
def home(own_folder: Path) -> Iterator[Path]:
    """A folder on which nothing runs in the end."""
    yield own_folder
    assert left_running(own_folder) == []


def left_running(home: Path) -> list[int]:
    return [process.pid for process in processes_naming(lambda words: any(w.startswith(f"{home}/") for w in words))]


def pids(home: Path) -> dict[str, int]:
    return dict(json.loads((home / "servers.json").read_text())["pids"])


def test_an_owner_that_leaves_hands_the_servers_to_one_who_attached(home: Path) -> None:
    owner = Owner(home)
    _, url = owner.said()
    attached = Owner(home)
    attached.said()
    before = pids(home)

    owner.leave()

    assert wait_until(lambda: attached.owns, limit=LIMIT)
    assert wait_until(lambda: pids(home) == before, limit=LIMIT)
    with patient(url) as client:
        kill(before["redis"])
        assert client.ping()  # kept up by its new owner
    attached.leave()


def test_a_redis_killed_after_its_owner_comes_back_under_those_who_attached(home: Path) -> None:
    owner = Owner(home)
    _, url = owner.said()
    several = [Owner(home) for _ in range(2)]
    assert [attached.said() for attached in several] == [["attached", url]] * 2
    with patient(url) as client:
        client.set("written", "before")

        owner.kill()
        for pid in pids(home).values():
            kill(pid)

        assert client.get("written") == "before"
    assert wait_until(lambda: sum(attached.owns for attached in several) == 1, limit=LIMIT)
    for attached in several:
        attached.leave()


def test_servers_whose_owner_was_killed_are_stopped_by_the_one_who_leaves_right_after_it(home: Path) -> None:
    owner = Owner(home)
    owner.said()
    attached = Owner(home)
    attached.said()
    running = pids(home)

    owner.kill()
    attached.leave()

    assert [kind for kind, pid in running.items() if Process(pid).alive] == []
    assert not (home / "servers.json").exists()


def test_a_new_owner_keeps_up_also_what_only_the_others_use(home: Path) -> None:
    owner = Owner(home)
    owner.said()
    attached = Owner(home)
    attached.said()
    running = pids(home)

    owner.kill()
    with open_servers(home, postgres=False) as newcomer:
        assert wait_until(lambda: pids(home) == running, limit=LIMIT)
        kill(running["postgres"])
        assert wait_until(lambda: pids(home)["postgres"] not in {None, running["postgres"]}, limit=LIMIT)
        assert newcomer.redis_pid == running["redis"]
    attached.leave()


def test_nobody_is_left_without_servers_while_others_come_and_go(home: Path) -> None:
    arguments = [[str(home), str(seed), "12"] for seed in range(5)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    visitors = [
        subprocess.Popen([sys.executable, "-c", VISITOR, *given], stderr=subprocess.PIPE, text=True, env=environment)
        for given in arguments
    ]

    ends = [(visitor.communicate(timeout=LIMIT)[1], visitor.returncode) for visitor in visitors]

    assert ends == [("", 0)] * 5
    assert left_running(home) == []  # the last one stopped them
    with open_servers(home, postgres=False) as servers, redis.Redis.from_url(servers.redis_url) as client:
        assert client.mget("visits", "farewells") == [b"60", b"60"]
        assert 1 <= int(client.get("visits as the owner") or 0) < 60


def test_a_forked_child_that_leaves_stops_nothing(home: Path) -> None:
    owner = Owner(home, script=FORKED)

    owns, url = owner.said()

    assert owns == "True"
    with redis.Redis.from_url(url) as client:
        assert client.ping()
    owner.leave()


def test_a_folder_that_was_removed_under_its_owner_leaves_nothing_running(own_folder: Path) -> None:
    home, away = own_folder / "home", own_folder / "away"
    servers = open_servers(home, postgres=False)
    pid = servers.redis_pid
    assert pid is not None

    home.rename(away)
    servers.close()

    assert not Process(pid).alive
