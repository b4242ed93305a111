"""Redis answers and takes no writes for a while: success is not demoted, work resumes, nothing runs twice."""

import asyncio
import contextlib
import resource
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
from tests.missing import give_up
from tests.redis_servers import Server, program_with

from holdfast.embedded.ports import free_port
from holdfast.queue import Job, NewJob, Postponed, Queue, QueueUnavailable

LOADED_IN = 1.5  # seconds, at least
KEYS = 1_000


@pytest.fixture
def server(own_folder: Path) -> Iterator[Server]:
    """A Redis that does not die of a file it may not write, and loads its data slowly."""
    program = program_with(at_least=(7, 0))  # 6.2 cannot be told to answer this often while it loads
    if program is None:
        give_up("no Redis 7 or newer, and no Valkey")
    wrapped = own_folder / "redis-server"
    wrapped.write_text(f"#!/bin/sh\ntrap '' XFSZ\nexec '{program}' \"$@\"\n")
    wrapped.chmod(0o700)
    delay_us = round(LOADED_IN / KEYS * 1_000_000)
    slowly = {"key-load-delay": delay_us, "loading-process-events-interval-bytes": 1024}
    server = Server(wrapped, own_folder / "refusing", slowly).start()
    yield server
    server.kill()


@asynccontextmanager
async def no_memory(server: Server) -> AsyncIterator[None]:
    with server.client() as client:
        client.config_set("maxmemory", "1")
        yield
        client.config_set("maxmemory", "0")


@asynccontextmanager
async def a_replica(server: Server) -> AsyncIterator[None]:
    """Of a primary that is not there, as in a failover that went wrong half-way."""
    with server.client() as client:
        client.replicaof("127.0.0.1", free_port())
        yield
        client.replicaof("NO", "ONE")


@asynccontextmanager
async def a_failed_snapshot(server: Server) -> AsyncIterator[None]:
    """MISCONF: the last snapshot could not be written, and Redis was told to take no writes then."""
    (server.folder / "dump.rdb").mkdir()  # a file cannot take its place
    with server.client() as client:
        client.config_set("save", "3600 1000000")
        client.bgsave()
        async with asyncio.timeout(30):
            while client.info("persistence")["rdb_last_bgsave_status"] == "ok":
                await asyncio.sleep(0.02)
        yield
        client.config_set("save", "")


@asynccontextmanager
async def a_full_disk(server: Server) -> AsyncIterator[None]:
    """MISCONF: the append-only file cannot grow."""
    (aof,) = [*server.folder.rglob("*.incr.aof"), *server.folder.rglob("appendonly.aof")]  # Redis 7's name, 6's name
    assert server._process is not None
    limits = (aof.stat().st_size, resource.RLIM_INFINITY)
    resource.prlimit(server._process.pid, resource.RLIMIT_FSIZE, limits)
    with server.client() as client:
        with contextlib.suppress(redis.ResponseError):  # a worker's write may have come to the limit before
            client.set("something", "x" * 100)
        async with asyncio.timeout(30):
            while client.info("persistence")["aof_last_write_status"] == "ok":
                await asyncio.sleep(0.02)
        yield
        resource.prlimit(server._process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        async with asyncio.timeout(30):
            while client.info("persistence")["aof_last_write_status"] != "ok":
                await asyncio.sleep(0.02)


Refusal = Callable[[Server], AbstractAsyncContextManager[None]]


@pytest.mark.parametrize("refusal", [no_memory, a_replica, a_failed_snapshot, a_full_disk])
async def test_a_redis_that_refuses_writes_demotes_no_success_and_work_resumes(
    server: Server, child: Any, working: Any, counted: Any, refusal: Refusal
) -> None:
    runs: Counter[str] = Counter()
    refusing, over = asyncio.Event(), asyncio.Event()

    async def across(job: Job) -> str:
        """Ends while Redis refuses, or afterwards."""
        runs[job.id] += 1
        await (refusing if job.data in ("soon", "early") else over).wait()
        if job.data == "failing" and job.attempts_made == 0:
            raise ValueError("the first attempt fails")
        if job.data == "early" and runs[job.id] == 1:
            raise Postponed(0.1)
        return "kept"

    async with Queue("q", url=server.url) as queue:
        await queue.add_many([NewJob("x", "soon") for _ in range(5)] + [NewJob("x", "late") for _ in range(5)])
        failing = await queue.add("x", "failing", attempts=2)
        early = await queue.add("x", "early", attempts=1)
        async with working(queue, {"x": across}, concurrency=20, lock_duration=0.9, presence_ttl=1.5):
            await counted(queue, active=12)
            rival = await child(server.url, "quick", lock_duration=0.9, presence_ttl=1.5)
            await rival.says("resuming pending jobs")
            async with refusal(server):
                refusing.set()
                with pytest.raises(QueueUnavailable):
                    await queue.add("x", "late")
                await asyncio.sleep(2)  # longer than every lock and presence
                assert (await queue.counts())["active"] == 12
            over.set()
            await queue.add("x", "soon")

            await counted(queue, completed=13)
            done = await queue.jobs("completed")

    runs.update(line["id"] for line in rival.said if line["event"] == "begun")
    assert {runs[job.id] for job in done if job.id not in (failing.id, early.id)} == {1}
    assert (runs[failing.id], runs[early.id]) == (2, 2)
    assert {job.stalled_count for job in done} == {0}
    assert [job.attempts_made for job in done if job.attempts_made] == [1]


async def test_a_redis_that_takes_its_time_to_load_is_waited_for(
    server: Server, child: Any, working: Any, counted: Any
) -> None:
    runs: Counter[str] = Counter()
    over = asyncio.Event()

    async def across(job: Job) -> None:
        runs[job.id] += 1
        await over.wait()

    with server.client() as client:
        client.mset({f"other:{n}": n for n in range(KEYS)})
    async with Queue("q", url=server.url) as queue:
        await queue.add_many([NewJob("x") for _ in range(5)])
        with structlog.testing.capture_logs() as said:
            async with working(queue, {"x": across}, lock_duration=0.6, presence_ttl=1.0):
                await counted(queue, active=5)
                rival = await child(server.url, "quick", lock_duration=0.6, presence_ttl=1.0)
                await rival.says("resuming pending jobs")
                with server.client() as client:
                    client.bgrewriteaof()
                    async with asyncio.timeout(30):
                        while client.info("persistence")["aof_rewrite_in_progress"]:
                            await asyncio.sleep(0.02)
                server.kill()
                await asyncio.to_thread(server.start)
                over.set()

                await counted(queue, completed=5)

    assert set(runs.values()) == {1}
    assert not [line for line in rival.said if line["event"] == "begun"]
    assert [line for line in said if line["event"] == "retrying connection" and line["loading"]]
