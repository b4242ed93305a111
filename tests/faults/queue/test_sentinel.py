"""A primary dies and its sentinels promote the replica: producers and workers go on there."""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests.integration.queue.smoke import smoke
from tests.redis_servers import PASSWORD, SentinelSetup, eventually, program_with, running

from holdfast.queue import Job, NewJob, Queue, QueueUnavailable

PROGRAM = program_with()
WITHIN = 60.0  # seconds; the sentinels need three or four, on a machine that does nothing else


@pytest.fixture
def sentinels(own_folder: Path) -> Iterator[SentinelSetup]:
    """Three sentinels that watch a primary and its replica."""
    assert PROGRAM is not None
    setup = SentinelSetup(PROGRAM, own_folder)
    with running(*setup.servers):
        setup.start()
        yield setup


async def add_until_done(queue: Queue, job_id: str) -> None:
    """As a producer does who minds: again until it is known to be there."""
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                await queue.add("x", job_id=job_id)
            except QueueUnavailable:
                continue
            return


async def test_a_queue_goes_on_at_the_new_primary_when_the_old_one_is_killed(
    sentinels: SentinelSetup, working: Any, counted: Any
) -> None:
    runs: Counter[str] = Counter()
    go_on = asyncio.Event()

    async def across(job: Job) -> str:
        runs[job.id] += 1
        if job.name == "across":
            await go_on.wait()
        return "done"

    async with Queue("q", url=sentinels.url) as queue:
        await queue.add_many([NewJob("across", job_id=f"across-{n}") for n in range(10)])
        with structlog.testing.capture_logs() as said:
            async with working(queue, {"*": across}, concurrency=10, lock_duration=2.0):
                await counted(queue, active=10)
                # What the replica has not heard of is lost: that is not what is tested here.
                with sentinels.primary.client(password=PASSWORD) as client:
                    client.wait(1, 5_000)

                sentinels.primary.kill()
                go_on.set()

                await add_until_done(queue, "afterwards")
                await counted(queue, within=WITHIN, completed=11)
        with sentinels.replica.client(password=PASSWORD) as client:
            assert client.role()[0] == "master"
            assert client.zcard("bull:q:completed") == 11

    assert set(runs.values()) == {1}
    assert "redis reconnected" in [line["event"] for line in said]


@pytest.mark.parametrize("fault", ["frozen", "handed over"])
async def test_a_primary_that_is_one_no_more_is_left_although_its_connections_stand(
    sentinels: SentinelSetup, working: Any, counted: Any, fault: str
) -> None:
    async def work(_: Job) -> str:
        return "done"

    async with Queue("q", url=sentinels.url) as queue, working(queue, {"*": work}):
        await add_until_done(queue, "first")
        await counted(queue, completed=1)
        with sentinels.primary.client(password=PASSWORD) as client:
            eventually(lambda: client.wait(1, 100))

        if fault == "frozen":
            sentinels.primary.signal(signal.SIGSTOP)
        else:
            with sentinels.sentinels[0].client() as client:
                client.execute_command("SENTINEL", "FAILOVER", sentinels.NAME)
            with sentinels.primary.client(password=PASSWORD) as client:
                # What it takes until it hears of it is lost.
                await asyncio.to_thread(eventually, lambda: client.role()[0] == "slave", within=WITHIN)

        with sentinels.replica.client(password=PASSWORD) as client:
            await asyncio.to_thread(eventually, lambda: client.role()[0] == "master", within=WITHIN)
            await add_until_done(queue, "second")
            await counted(queue, within=WITHIN, completed=2)
            assert client.hget("bull:q:second", "returnvalue") == '"done"'


async def test_each_sentinel_is_asked_until_one_knows(sentinels: SentinelSetup) -> None:
    sentinels.sentinels[0].kill()
    sentinels.sentinels[1].kill()

    async with Queue("q", url=sentinels.url) as queue:
        await smoke(queue)

    async with Queue("q", url=sentinels.url.replace(sentinels.NAME, "unknown"), max_wait=0.5) as queue:
        with pytest.raises(QueueUnavailable, match="knows no service 'unknown'"):
            await queue.add("x")
