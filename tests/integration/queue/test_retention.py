"""How long finished jobs are kept."""

from typing import Any

import pytest

from holdfast.queue import Job, NewJob, Queue, Retention


async def fine(_job: Job) -> None:
    pass


async def broken(_job: Job) -> None:
    raise ValueError("no")


async def test_all_finished_jobs_are_kept_unless_asked_otherwise(queue: Queue, working: Any, counted: Any) -> None:
    await queue.add_many([NewJob("fine") for _ in range(30)] + [NewJob("broken") for _ in range(3)])

    async with working({"fine": fine, "broken": broken}):
        await counted(completed=30, failed=3)


async def test_a_job_may_be_removed_as_soon_as_it_ends(queue: Queue, working: Any, client: Any, until: Any) -> None:
    await queue.add_many(
        [
            NewJob("fine", remove_on_complete=True),
            NewJob("fine", remove_on_complete=0),
            NewJob("broken", remove_on_fail=True),
        ]
    )

    async def no_jobs() -> bool:
        return [key async for key in client.scan_iter("bull:q:[0-9]*")] == []

    async with working({"fine": fine, "broken": broken}):
        await until(no_jobs)

    assert set((await queue.counts()).values()) == {0}


async def test_the_newest_are_kept_and_jobs_that_say_keep_are_never_trimmed(
    queue: Queue, working: Any, counted: Any, client: Any
) -> None:
    await queue.add_many([NewJob("fine", "keep") for _ in range(5)])
    await queue.add_many([NewJob("fine", n, remove_on_complete=3) for n in range(20)])

    async with working({"fine": fine}, concurrency=1):
        await counted(completed=8)

    kept = [job.data for job in await queue.jobs("completed")]
    assert kept == [19, 18, 17] + ["keep"] * 5
    assert len([key async for key in client.scan_iter("bull:q:[0-9]*")]) == 8


async def test_jobs_older_than_their_age_go_when_the_next_of_their_kind_ends(
    queue: Queue, working: Any, counted: Any, client: Any
) -> None:
    old = Retention(age=3600, count=100)
    await queue.add_many([NewJob("fine", n, remove_on_complete=old) for n in range(3)])
    async with working({"fine": fine}):
        await counted(completed=3)
        for key in ("bull:q:completed", "bull:q:keep:completed:100:3600"):
            for job_id in await client.zrange(key, 0, -1):
                await client.zincrby(key, -3_601_000, job_id)

        await queue.add("fine", "new", remove_on_complete=old)

        await counted(completed=1)


@pytest.mark.parametrize("keep", [1, Retention(age=0)])
async def test_one_script_call_trims_a_bounded_number(
    queue: Queue, client: Any, working: Any, until: Any, keep: Any
) -> None:
    index = "bull:q:keep:completed:" + ("1:-1" if keep == 1 else "-1:0")
    stale = {f"old-{n}": n for n in range(50)}
    await client.zadd("bull:q:completed", stale)
    await client.zadd(index, stale)
    await queue.add("fine", remove_on_complete=keep)

    async def ended() -> bool:
        return (await queue.counts())["active"] == 0 and (await queue.counts())["wait"] == 0

    async with working({"fine": fine}):
        await until(ended)

    assert 30 <= (await queue.counts())["completed"] <= 31
