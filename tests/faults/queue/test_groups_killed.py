"""SIGKILL of a worker that holds jobs in the lines of groups: none is lost, and the limits hold afterwards."""

import asyncio
import signal
from collections import Counter
from typing import Any

from holdfast.queue import Job, NewJob, Queue


async def test_no_job_is_lost_when_a_worker_with_jobs_in_line_is_killed_and_limits_hold_afterwards(
    redis_url: str, child: Any, working: Any, counted: Any
) -> None:
    now: Counter[str] = Counter()
    most: Counter[str] = Counter()
    ran: list[int] = []

    async def note(job: Job) -> None:
        group = job.opts["group"]
        now[group] += 1
        most[group] = max(most[group], now[group])
        await asyncio.sleep(0.002)
        ran.append(job.data)
        now[group] -= 1

    async with Queue("q", url=redis_url) as queue:
        await queue.add_many([NewJob("x", n, group="ab"[n % 2]) for n in range(60)])
        victim = await child(redis_url, "forever", concurrency=10, group_concurrency=2)
        await victim.says("begun", 4)
        await counted(queue, wait=56, active=4)

        victim.signal(signal.SIGKILL)

        async with working(queue, {"x": note}, group_concurrency=2):
            await counted(queue, completed=60)

    assert sorted(ran) == list(range(60))
    assert max(most.values()) == 2
