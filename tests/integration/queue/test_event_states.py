"""Who follows the events knows where each job is, whatever happened to it."""

import asyncio
from collections import Counter
from collections.abc import Iterable

from holdfast.queue import Event, Job, NewJob, Queue
from holdfast.queue.link.connection import Link
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import RecoveryRules, Scripts
from holdfast.queue.testing import work_off

from .conftest import Working

STATE_AFTER = {
    "added": "wait",
    "waiting": "wait",
    "stalled": "wait",
    "delayed": "delayed",
    "active": "active",
    "completed": "completed",
    "failed": "failed",
}


def states_by(events: Iterable[Event]) -> dict[str, str]:
    """Where the jobs are, by what was told."""
    states: dict[str, str] = {}
    for event in events:
        if event.job_id is None:
            continue
        if event.kind == "removed":
            del states[event.job_id]
        states |= {event.job_id: STATE_AFTER[event.kind]} if event.kind in STATE_AFTER else {}
    return states


async def fate(job: Job) -> int:
    await job.update_progress(job.attempts_made)
    if job.data % 5 == 0 or (job.data % 3 == 0 and job.attempts_made == 0):
        raise ValueError(job.data)
    return 1


async def test_states_by_the_events_are_the_states_of_the_jobs(queue: Queue, working: Working) -> None:
    async with queue.events() as events:
        jobs = await queue.add_many(
            NewJob("x", n, attempts=2, delay=3600 if n % 11 == 0 else 0, backoff=0.01 if n % 2 else None)
            for n in range(300)
        )
        await work_off(queue, {"x": fate}, concurrency=50)
        for job in jobs[:60:10]:
            await queue.remove(job.id)
        failed = [job.id for job in await queue.jobs("failed")]
        await queue.retry(failed[0])
        await queue.promote_all(limit=3)
        begun = asyncio.Event()

        async def stay(_job: Job) -> None:
            begun.set()
            await asyncio.Event().wait()

        async with working({"x": stay}, concurrency=3, grace=0.0):
            await begun.wait()
        await queue.pause()
        await queue.add("x")
        told = await events.up_to_now()

    expected = {state: count for state, count in (await queue.counts()).items() if count}
    expected["wait"] = expected.pop("paused")
    assert Counter(states_by(told).values()) == expected


async def test_jobs_of_workers_that_are_gone_are_told_of(queue: Queue) -> None:
    at_once = RecoveryRules(interval_ms=0, quiet_ms=0, grace_ms=0, max_stalled=1)
    link = Link(queue.finder, reporter=Reporter())
    scripts = Scripts(link, queue.keys)
    job = await queue.add("x")

    async with queue.events() as events:
        for attempt in range(2):
            await scripts.take(1, f"dead:{attempt}", 1, announce=False)
            for _ in range(2):  # the first look finds a gap in the looking
                await asyncio.sleep(0.01)
                await scripts.recover(at_once)
        told = await events.up_to_now()
    await link.close()

    assert [(event.kind, event.job_id) for event in told] == [
        ("active", job.id),
        ("stalled", job.id),
        ("active", job.id),
        ("failed", job.id),
    ]
    assert told[-1].data == "job stalled more than allowable limit"
