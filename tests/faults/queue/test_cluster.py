"""A real cluster: the queue's slot has one master, until that dies or the slot is moved."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.crc import key_slot
from tests.integration.queue.smoke import operate, smoke
from tests.redis_servers import ClusterSetup, Server, eventually, programs, running

from holdfast.queue import Job, NewJob, Queue, QueueUnavailable, UnfitServer

PROGRAMS = {name: program for name, program in programs().items() if name != "redis-6.2"}  # it knows no cluster-port
WITHIN = 60.0


@pytest.fixture(params=sorted(PROGRAMS))
def cluster(request: pytest.FixtureRequest, own_folder: Path) -> Iterator[ClusterSetup]:
    """Three masters and a replica of the first."""
    setup = ClusterSetup(PROGRAMS[request.param], own_folder)
    with running(*setup.nodes):
        setup.start()
        yield setup


def prefix_at(setup: ClusterSetup, node: Server) -> str:
    """A prefix whose slot the node serves."""
    return next(prefix for n in range(1_000) if setup.master_of(key_slot((prefix := f"{{bull-{n}}}").encode())) is node)


async def work(_: Job) -> str:
    return "done"


async def add_until_done(queue: Queue, *ids: str) -> None:
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                await queue.add_many([NewJob("x", job_id=job_id) for job_id in ids])
            except QueueUnavailable:
                continue
            return


async def test_a_queue_runs_in_a_cluster_and_one_without_a_hash_tag_is_refused_with_the_fix(
    cluster: ClusterSetup,
) -> None:
    for node in cluster.masters:
        for url in (cluster.url, cluster.masters[1].url):  # of any node; a plain URL is understood as well
            async with Queue("q", url=url, prefix=prefix_at(cluster, node)) as queue:
                await smoke(queue)
                await queue.add("x", durable=True)
                with node.client() as client:
                    assert client.dbsize() > 0
                await operate(queue)
    for url in (cluster.url, cluster.masters[0].url):
        async with Queue("emails", url=url) as queue:
            with pytest.raises(UnfitServer, match=r'Queue\("emails", prefix="\{bull\}"\)'):
                await queue.add("x")


async def test_a_queue_goes_on_at_the_replica_that_follows_its_killed_master(
    cluster: ClusterSetup, working: Any, counted: Any
) -> None:
    master = cluster.masters[0]
    async with Queue("q", url=cluster.url, prefix=prefix_at(cluster, master)) as queue, working(queue, {"*": work}):
        await add_until_done(queue, "before")
        await counted(queue, completed=1)
        with master.client() as client:
            eventually(lambda: client.wait(1, 100))

        master.kill()

        await add_until_done(queue, "after")
        await counted(queue, within=WITHIN, completed=2)
    with cluster.replica.client() as client:
        assert client.role()[0] == "master"


async def test_a_slot_that_moves_under_a_running_queue_costs_no_job_and_no_second_run(
    cluster: ClusterSetup, working: Any, counted: Any
) -> None:
    runs: Counter[str] = Counter()
    source, target = cluster.masters[0], cluster.masters[1]
    prefix = prefix_at(cluster, source)
    moved = asyncio.Event()

    async def across(job: Job) -> str:
        runs[job.id] += 1
        if job.name == "across":
            await moved.wait()
        else:
            await asyncio.sleep(0.01)
        return "done"

    async with Queue("q", url=cluster.url, prefix=prefix) as queue:
        await queue.add_many([NewJob("across") for _ in range(5)])
        async with working(queue, {"*": across}, concurrency=10):
            await counted(queue, active=5)
            # With priorities all keys of a take are there: only a script can find that a job is not.
            await queue.add_many([NewJob("x", priority=1) for _ in range(300)])

            adding = asyncio.create_task(add_until_done(queue, *(f"meanwhile-{n}" for n in range(10))))
            slot = key_slot(prefix.encode())
            with source.client() as client, moving(cluster, slot, source, target) as move:
                failed = failures(client)
                await asyncio.to_thread(move, lambda key: key.rsplit(":", 1)[1].isdigit())
                # Another worker finds the lists here and the jobs in them gone: it must not take them for ghosts.
                async with working(queue, {"*": across}):
                    await asyncio.to_thread(eventually, lambda: failures(client) > failed)
                    await asyncio.to_thread(move, lambda _: True)
                    moved.set()

                    await adding
                    await add_until_done(queue, "afterwards")
                    await counted(queue, within=WITHIN, completed=316)
    with target.client() as client:
        assert client.zcard(f"{prefix}:q:completed") == 316

    assert set(runs.values()) == {1}


def failures(client: "redis.Redis") -> int:
    """How many scripts failed after they had begun."""
    return int(client.info("commandstats")["cmdstat_evalsha"]["failed_calls"])


@contextmanager
def moving(
    cluster: ClusterSetup, slot: int, source: Server, target: Server
) -> Iterator[Callable[[Callable[[str], bool]], None]]:
    """Moves a slot as redis-cli does, key by key: those that the caller asks for, before it ends."""
    with ExitStack() as stack:
        clients = {node: stack.enter_context(node.client()) for node in cluster.masters}
        old, new = clients.pop(source), clients.pop(target)
        new.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.id_of(source))
        old.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.id_of(target))
        ended = False

        def move(which: Callable[[str], bool]) -> None:
            nonlocal ended
            while keys := [key for key in old.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1_000) if which(key)]:
                for key in keys:
                    old.execute_command("MIGRATE", "127.0.0.1", target.port, key, 0, 5_000)
            if not old.execute_command("CLUSTER", "COUNTKEYSINSLOT", slot):
                for client in (new, old, *clients.values()):
                    client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", cluster.id_of(target))
                ended = True

        yield move
        assert ended
