"""What a power cut takes from a Redis, and what it must not take; what the server says about it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.redis_servers import Server, eventually, programs, running

from holdfast.errors import NotDurable
from holdfast.queue import NewJob, Queue, QueueUnavailable

PROGRAMS = programs()


@pytest.fixture(params=sorted(PROGRAMS))
def server(request: pytest.FixtureRequest, own_folder: Path) -> Callable[..., Server]:
    """`server(appendfsync="always")` makes a server of each version there is; it is not started."""
    return lambda **settings: Server(
        PROGRAMS[request.param], own_folder / "r", {name.replace("_", "-"): value for name, value in settings.items()}
    )


def aof_files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_size for path in folder.rglob("*.aof*") if path.is_file()}


def cut_power(server: Server, synced: dict[Path, int]) -> None:
    """Kill it; of its AOF leave what is known to have been synced, as a power cut may."""
    server.kill()
    for path in aof_files(server.folder):
        with path.open("r+b") as file:
            file.truncate(synced.get(path, 0))


@asynccontextmanager
async def sampled(server: Server) -> AsyncIterator[list[tuple[float, dict[Path, int]]]]:
    """The lengths of the server's AOF files, each few milliseconds."""
    samples: list[tuple[float, dict[Path, int]]] = []

    async def sample() -> None:
        while True:
            samples.append((asyncio.get_running_loop().time(), aof_files(server.folder)))
            await asyncio.sleep(0.005)

    sampling = asyncio.create_task(sample())
    try:
        yield samples
    finally:
        sampling.cancel()


async def ids_in(queue: Queue) -> set[str]:
    return {job.id for job in await queue.jobs("wait")}


async def test_a_durable_add_survives_the_loss_of_the_last_second_and_a_plain_one_does_not(server: Any) -> None:
    redis_server = server(appendfsync="everysec")
    with running(redis_server):
        redis_server.start()
        async with Queue("q", url=redis_server.url) as queue, sampled(redis_server) as samples:
            await queue.add("warm up")
            async with asyncio.TaskGroup() as group:
                many = group.create_task(queue.add_many([NewJob("x") for _ in range(1_200)], durable=True))
                await asyncio.sleep(0.4)  # so that the syncs of the two are not the same
                one = group.create_task(queue.add("x", durable=True))
            acknowledged = asyncio.get_running_loop().time()
            safe = {job.id for job in [*many.result(), one.result()]}
            plain = await queue.add("x", job_id="plain")

            # No sync may have begun since: at most a second, and the tick of Redis' clock.
            synced = next((sizes for at, sizes in reversed(samples) if at < acknowledged - 1.1), {})
            cut_power(redis_server, synced)

            redis_server.start()
            left = await ids_in(queue)

    assert safe <= left
    assert plain.id not in left


async def test_with_appendfsync_always_what_was_acknowledged_is_in_the_file(server: Any) -> None:
    redis_server = server(appendfsync="always")
    with running(redis_server):
        redis_server.start()
        async with Queue("q", url=redis_server.url) as queue:
            job = await queue.add("x", durable=True)
            synced = aof_files(redis_server.folder)
            later = await queue.add("x")

            cut_power(redis_server, synced)

            redis_server.start()
            assert await ids_in(queue) == {job.id}
            assert job.id != later.id


@pytest.mark.parametrize(
    ("setting", "fix"),
    [
        ({"appendonly": "no"}, "set `appendonly yes`"),
        ({"appendfsync": "no"}, "set `appendfsync everysec` or `appendfsync always`"),
        ({"no_appendfsync_on_rewrite": "yes"}, "set `no-appendfsync-on-rewrite no`"),
    ],
)
async def test_a_server_that_is_not_set_up_for_it_adds_nothing_and_the_setting_is_named(
    server: Any, setting: dict[str, str], fix: str
) -> None:
    redis_server = server(**setting)
    with running(redis_server):
        redis_server.start()
        async with Queue("q", url=redis_server.url) as queue:
            with pytest.raises(NotDurable, match=fix):
                await queue.add("x", durable=True)

            assert set((await queue.counts()).values()) == {0}
            assert fix in (await queue.durability()).refusal


@pytest.mark.parametrize(("may_not", "right"), [("info", r"\+info"), ("config", r"\+config\|get")])
async def test_a_user_who_may_not_ask_is_told_which_right_is_missing(server: Any, may_not: str, right: str) -> None:
    redis_server = server()
    with running(redis_server):
        redis_server.start()
        with redis_server.client() as client:
            client.execute_command("ACL", "SETUSER", "shy", "on", ">secret", "~*", "&*", "+@all", f"-{may_not}")
        async with Queue("q", url=redis_server.url.replace("//", "//shy:secret@")) as queue:
            with pytest.raises(NotDurable, match=right):
                await queue.add("x", durable=True)

            assert (await queue.durability()).level == "unknown"


async def test_an_aof_that_is_still_being_made_keeps_nothing_yet(server: Any) -> None:
    redis_server = server(appendonly="no", rdb_key_save_delay=20_000)  # microseconds
    with running(redis_server):
        redis_server.start()
        async with Queue("q", url=redis_server.url, max_wait=1.5) as queue:
            await queue.add_many([NewJob("x") for _ in range(250)])  # so that it takes five seconds
            with redis_server.client() as client:
                client.config_set("appendonly", "yes")
                with pytest.raises(QueueUnavailable, match="not known to be safe"):
                    await queue.add("x", durable=True)
                assert client.info("persistence")["aof_rewrite_in_progress"] == 1
                eventually(lambda: not client.info("persistence")["aof_rewrite_in_progress"])

            await queue.add("x", durable=True, job_id="safe")


async def test_a_redis_that_restarts_before_the_sync_makes_a_durable_add_fail(server: Any) -> None:
    redis_server = server()
    with running(redis_server):
        redis_server.start()
        async with Queue("q", url=redis_server.url) as queue:
            adding = asyncio.create_task(queue.add("x", durable=True))
            while not (await queue.counts())["wait"]:
                await asyncio.sleep(0.01)

            redis_server.kill()
            redis_server.start()

            with pytest.raises(QueueUnavailable, match="restarted"):
                await adding


async def test_a_durable_add_waits_for_so_many_replicas(own_folder: Path) -> None:
    program = next(iter(PROGRAMS.values()))
    primary = Server(program, own_folder / "primary", {"repl-diskless-sync-delay": 0})
    replica = Server(program, own_folder / "replica", {"replicaof": f"127.0.0.1 {primary.port}"})
    with running(primary, replica):
        primary.start()
        async with Queue("q", url=primary.url, max_wait=3.0) as queue:
            with pytest.raises(NotDurable, match="0 are connected"):
                await queue.add("x", durable=True, replicas=1)
            replica.start()
            with primary.client() as client:
                eventually(lambda: client.info("replication").get("slave0", {}).get("state") == "online")

            await queue.add("x", job_id="at-both", durable=True, replicas=1)
            with replica.client() as client:
                assert client.hget("bull:q:at-both", "name") == "x"

            replica.signal(signal.SIGSTOP)
            with pytest.raises(QueueUnavailable, match="not known to be safe"):
                await queue.add("x", durable=True, replicas=1)


@pytest.mark.parametrize(
    ("settings", "level", "durable"),
    [
        ({"appendonly": "no"}, "none", False),
        ({"appendonly": "no", "save": "3600 1"}, "snapshots", False),
        ({"appendfsync": "no"}, "written", False),
        ({"appendfsync": "everysec"}, "everysec", True),
        ({"appendfsync": "always"}, "always", True),
    ],
)
async def test_the_server_s_settings_are_put_into_words(
    server: Any, settings: dict[str, str], level: str, durable: bool
) -> None:
    redis_server = server(maxmemory_policy="allkeys-lru", **settings)
    with running(redis_server):
        redis_server.start()
        async with Queue("q", url=redis_server.url) as queue:
            told = await queue.durability()

    assert (told.level, told.durable_adds) == (level, durable)
    assert told.failover == "everything, there is no replica"
    assert [each for each in told.warnings if "set `maxmemory-policy noeviction`" in each]
