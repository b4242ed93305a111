"""A killed worker's job is taken over on each version of Redis and Valkey, and Redis may die under it, too."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.redis_servers import Server, programs, running

from holdfast.queue import Job, NewJob, Queue

PROGRAMS = programs()


@pytest.fixture(params=sorted(PROGRAMS))
def server(request: pytest.FixtureRequest, own_folder: Path) -> Iterator[Server]:
    """A running server of each version there is, which syncs each write."""
    found = Server(PROGRAMS[request.param], own_folder / "r", {"appendfsync": "always"})
    with running(found):
        yield found.start()


async def test_a_killed_worker_s_jobs_run_elsewhere_after_redis_was_killed_as_well(
    server: Server, child: Any, working: Any, counted: Any
) -> None:
    async def work(job: Job) -> str:
        return f"{job.name}, by the other"

    async with Queue("q", url=server.url) as queue:
        await queue.add_many([NewJob("x") for _ in range(3)])
        victim = await child(server.url, "forever", lock_duration=60)
        await victim.says("begun", 3)

        victim.signal(signal.SIGKILL)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)

        async with working(queue, {"x": work}):
            await counted(queue, completed=3)
        assert {job.returnvalue for job in await queue.jobs("completed")} == {"x, by the other"}
