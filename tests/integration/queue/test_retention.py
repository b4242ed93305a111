"""How long finished jobs are kept."""

from typing import Any

import pytest

from holdfast.queue import Job, NewJob, Queue, Retention
from holdfast.queue.link.connection import Link
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Scripts


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


async def test_a_kept_job_that_somebody_else_removed_costs_no_other_its_place(
    queue: Queue, working: Any, counted: Any, client: Any
) -> None:
    async with working({"fine": fine}, concurrency=1):
        await queue.add_many([NewJob("fine", n, remove_on_complete=3) for n in range(3)])
        await counted(completed=3)
        await client.zrem("bull:q:completed", "3")  # as Node's Bull removes a job
        await client.delete("bull:q:3")

        await queue.add("fine", 3, remove_on_complete=3)
        await counted(completed=3)
        kept = [job.data for job in await queue.jobs("completed")]
        await queue.add_many([NewJob("fine", n, remove_on_complete=3) for n in range(4, 9)])
        await counted(completed=3, wait=0, active=0)

    assert kept == [3, 1, 0]
    assert [job.data for job in await queue.jobs("completed")] == [8, 7, 6]


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


async def node_has_finished(client: Any, state: str, job_id: str, opts: str, *, seconds_ago: float = 0) -> None:
    """What a queue holds of a job that Node added and worked on."""
    now_ms = int((await client.time())[0]) * 1000
    await client.hset(f"bull:q:{job_id}", mapping={"name": "x", "opts": opts, "finishedOn": now_ms})
    await client.rpush(f"bull:q:{job_id}:logs", "a line")
    await client.zadd(f"bull:q:{state}", {job_id: now_ms - seconds_ago * 1000})


@pytest.mark.parametrize(
    ("state", "option"), [("completed", "removeOnComplete"), ("failed", "removeOnFail"), ("failed", "removeOnComplete")]
)
async def test_jobs_that_are_too_old_go_although_nothing_finishes_and_only_by_the_option_for_their_end(
    queue: Queue, working: Any, client: Any, until: Any, state: Any, option: str
) -> None:
    for n in range(600):
        await node_has_finished(client, state, f"old-{n}", f'{{"{option}":{{"age":60}}}}', seconds_ago=61 + n)
        await node_has_finished(client, state, f"young-{n}", f'{{"{option}":{{"age":900}}}}', seconds_ago=61)
        await node_has_finished(client, state, f"for-ever-{n}", '{"attempts":1,"data":"age"}', seconds_ago=9_000)
    goes = (state == "failed") == (option == "removeOnFail")

    async def swept() -> bool:
        return (await queue.counts())[state] == (1_200 if goes else 1_800)

    async with working({"x": fine}, poll_interval=0.05):
        await until(swept)

    left = await client.zrange(f"bull:q:{state}", 0, -1)
    assert len([job_id for job_id in left if job_id.startswith("old")]) == (0 if goes else 600)
    assert await client.exists("bull:q:old-1", "bull:q:old-1:logs") == (0 if goes else 2)
    assert await client.exists("bull:q:young-1", "bull:q:for-ever-1:logs") == 2


async def test_a_job_of_ours_goes_at_its_age_with_its_place_in_the_index(
    queue: Queue, working: Any, counted: Any, client: Any
) -> None:
    await queue.add("broken", remove_on_fail=Retention(age=1, count=50))

    async with working({"broken": broken}):
        await counted(failed=1)
        await counted()

    assert not await client.exists("bull:q:1", "bull:q:keep:failed:50:1")


async def test_one_look_for_old_jobs_is_bounded_and_goes_on_where_it_stopped(queue: Queue, client: Any) -> None:
    link = Link(queue.url, reporter=Reporter())
    scripts = Scripts(link, queue.keys)
    for n in range(30):
        keep = '{"removeOnComplete":{"age":1}}' if n % 10 == 9 else "{}"
        await node_has_finished(client, "completed", f"j-{n:02}", keep, seconds_ago=100 - n)

    removed = [await scripts.trim(interval_ms=0, limit=10) for _ in range(5)]

    assert removed == [1, 1, 1, 0, 0]
    assert await scripts.trim(interval_ms=60_000, limit=10) == -1
    await link.close()
