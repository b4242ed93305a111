"""What the doctor finds on real Redis servers that are set up well, badly, or not there."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

import pytest
from tests.integration.doctor.conftest import Examine
from tests.missing import give_up
from tests.redis_servers import PASSWORD, Server, TlsServer, program_with, programs, running

from holdfast.embedded import RedisServer
from holdfast.queue import Job, NewJob, Queue, Worker

PROGRAM = next(iter(programs().values()))
SECRET = quote(PASSWORD)


@pytest.fixture
def server(own_folder: Path) -> Callable[..., Any]:
    """`with server(appendonly="no") as found:` runs a Redis so set up."""

    @contextmanager
    def run(**config: Any) -> Iterator[Server]:
        found = Server(PROGRAM, own_folder / "r", {name.replace("_", "-"): value for name, value in config.items()})
        with running(found):
            yield found.start()

    return run


async def test_a_redis_without_persistence_fails_and_says_what_it_costs(server: Any, examine: Examine) -> None:
    with server(appendonly="no") as found:
        lines = await examine(redis_url_given=found.url)

    assert (lines["redis persistence"].level, lines["redis persistence"].figure) == (
        "fail",
        "off: neither AOF nor RDB",
    )
    assert lines["redis persistence"].fix.startswith('redis-cli -u "$REDIS_URL" CONFIG SET appendonly yes')
    assert lines["redis loss"].figure.startswith("killed: everything; power cut: everything")
    assert lines["redis access"].level == "warn"  # no password, and only this machine reaches it


@pytest.mark.parametrize("name", sorted(programs()))
async def test_each_kind_of_server_tells_all_there_is_to_know(name: str, own_folder: Path, examine: Examine) -> None:
    server = Server(programs()[name], own_folder / "r", {"save": "3600 1"})
    with running(server):
        server.start()
        lines = await examine(redis_url_given=server.url)

    kind, version = name.split("-")
    assert lines["redis version"].figure.startswith(f"{kind.title()} {version}.")
    of_redis = [line for line in lines.values() if line.name.startswith("redis")]
    assert len(of_redis) == 13
    assert [line.name for line in of_redis if "not tell" in line.figure or "unknown" in line.figure] == ["redis backup"]
    figure = lines["redis persistence"].figure
    assert all(each in figure for each in ("last write ok", "last rewrite ok", "last save ok"))


async def test_snapshots_alone_warn(server: Any, examine: Examine) -> None:
    with server(appendonly="no", save="3600 1") as found:
        lines = await examine(redis_url_given=found.url)

    assert lines["redis persistence"].level == "warn"
    assert "RDB snapshots only; last save ok" in lines["redis persistence"].figure


async def test_everysec_is_well_and_says_up_to_a_second(server: Any, examine: Examine) -> None:
    with server(requirepass=f'"{PASSWORD}"') as found:
        lines = await examine(redis_url_given=f"redis://:{SECRET}@127.0.0.1:{found.port}/0")

    assert lines["redis persistence"].level == "ok"
    assert lines["redis persistence"].figure.startswith("AOF, appendfsync everysec; last write ok")
    assert "power cut: up to 1 s" in lines["redis loss"].figure
    assert (lines["redis access"].level, lines["redis access"].figure) == ("ok", "a password is needed")
    assert PASSWORD not in repr(lines)
    assert SECRET not in repr(lines)


@pytest.mark.parametrize("login", ["", ":wrong@", "nobody:wrong@"])
async def test_a_wrong_password_is_named_within_seconds(login: str, own_redis: RedisServer, examine: Examine) -> None:
    where = own_redis.url.split("@")[1]
    began = monotonic()

    lines = await examine(redis_url_given=f"redis://{login}{where}")

    assert monotonic() - began < 10
    assert lines["redis"].level == "fail"
    assert "AuthenticationError" in lines["redis"].figure
    assert lines["redis"].fix.startswith("REDIS_URL=redis://<user>:<password>@127.0.0.1:")
    assert [name for name in lines if name.startswith("redis")] == ["redis"]
    assert lines["postgresql"].level == "ok"


async def test_a_full_redis_that_would_throw_jobs_away_fails(server: Any, examine: Examine) -> None:
    with server(maxmemory="100mb", maxmemory_policy="allkeys-lru") as found:
        lines = await examine(redis_url_given=found.url)
        _run(lines["redis eviction"].fix, found)
        mended = await examine(redis_url_given=found.url)

    assert lines["redis eviction"].level == "fail"
    assert lines["redis eviction"].figure == "allkeys-lru: Redis throws jobs away when 100.0 MB are used"
    assert "of 100.0 MB (maxmemory) used" in lines["redis memory"].figure
    assert mended["redis eviction"].level == "ok"


def _run(fix: str, server: Server) -> None:
    """What redis-cli would do with the first command of a fix."""
    command = fix.split(" && ", maxsplit=1)[0].removeprefix('redis-cli -u "$REDIS_URL" ')
    with server.client() as client:
        client.execute_command(*command.split())


async def test_a_redis_that_is_away_is_one_failing_line(examine: Examine, own_redis: RedisServer) -> None:
    own_redis.kill()
    began = monotonic()

    lines = await examine(redis_url_given=own_redis.url)

    assert monotonic() - began < 10
    assert (lines["redis"].level, "redis version" in lines) == ("fail", False)
    assert "ConnectionRefusedError" in lines["redis"].figure
    assert lines["redis"].fix.endswith("ping  # start it, or mend REDIS_URL")


async def test_a_redis_that_stands_still_is_given_up(examine: Examine, server: Any) -> None:
    with server() as found:
        process = found._process
        process.send_signal(signal.SIGSTOP)
        began = monotonic()
        try:
            lines = await examine(redis_url_given=found.url)
        finally:
            process.send_signal(signal.SIGCONT)

    assert monotonic() - began < 15
    assert lines["redis"].level == "fail"
    assert lines["postgresql"].level == "ok"


async def test_an_address_that_is_none_is_a_failing_line(examine: Examine) -> None:
    lines = await examine(redis_url_given="http://127.0.0.1:6379")

    assert (lines["redis"].level, lines["redis"].fix.startswith("REDIS_URL=")) == ("fail", True)
    assert lines["postgresql"].level == "ok"


async def test_a_user_that_may_ask_little_gets_unknown_and_the_right_to_ask_for(server: Any, examine: Examine) -> None:
    with server() as found:
        with found.client() as client:
            client.execute_command("ACL", "SETUSER", "shy", "on", f">{PASSWORD}", "~*", "&*", "+@all", "-@dangerous")
        lines = await examine(redis_url_given=f"redis://shy:{SECRET}@127.0.0.1:{found.port}/0")

    for name in ("redis version", "redis persistence", "redis memory", "redis eviction"):
        assert (lines[name].level, "it does not tell" in lines[name].figure) == ("warn", True), name
    assert "ACL SETUSER <user> +info" in lines["redis persistence"].fix
    assert "+client|list" in lines["redis reconnects"].fix


async def test_tls_is_seen(own_folder: Path, examine: Examine) -> None:
    program = program_with(at_least=(7, 0), below=(7, 9)) or give_up("no redis-server with TLS")
    server = TlsServer(program, own_folder / "tls")
    with running(server):
        server.start()
        url = f"rediss://localhost:{server.port}/0?ssl_ca_certs={server.authority}"
        lines = await examine(redis_url_given=url)

    assert (lines["redis"].level, lines["redis encryption"].level) == ("ok", "ok")
    assert lines["redis access"].level == "warn"


async def test_a_worker_that_reconnected_is_counted_and_a_new_one_is_not(server: Any, examine: Examine) -> None:
    with server() as found:
        async with Queue("codeframe-generation", url=found.url) as queue:
            worker = Worker(queue, {"x": _nothing}, signals=False)
            working = asyncio.create_task(worker.run())
            await _listens(found, queue)
            new = await examine(redis_url_given=found.url)
            await worker.stop()
            await working
            with found.client(client_name=queue.keys.client_name) as client, client.pubsub() as again:
                again.subscribe("anything")  # as a worker's that is older than its connection
                old = await examine(redis_url_given=found.url)

    assert "0 by workers that are connected" in new["redis reconnects"].figure
    assert "1 by workers that are connected" in old["redis reconnects"].figure


async def _listens(server: Server, queue: Queue) -> None:
    """Wait for the worker's connection on which it is woken, and for its sign of life."""
    with server.client() as client:
        async with asyncio.timeout(20):
            while not (
                [each for each in client.client_list(_type="pubsub") if each["name"] == queue.keys.client_name]
                and client.zcard(queue.keys.presence)
            ):
                await asyncio.sleep(0.02)


async def test_a_figure_for_each_finished_job_is_there(server: Any, examine: Examine) -> None:
    with server() as found:
        async with Queue("codeframe-generation", url=found.url) as queue:
            stopped = Worker(queue, {"x": _nothing}, signals=False)
            await queue.add_many([NewJob("x", {}) for _ in range(30)])
            working = asyncio.create_task(stopped.run())
            async with asyncio.timeout(30):
                while (await queue.counts())["completed"] < 30:
                    await asyncio.sleep(0.02)
            await stopped.stop()
            await working
        lines = await examine(redis_url_given=found.url)

    assert lines["retention"].figure == "all are kept: 30 completed and 0 failed jobs"
    assert lines["growth"].figure.startswith("about 720 finished jobs a day")


async def _nothing(_job: Job) -> None:
    return None
