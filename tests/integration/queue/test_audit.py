"""Finding what should not be in a queue, and mending it."""

import asyncio
from typing import Any

import pytest

from holdfast.queue import AuditReport, Job, NewJob, Queue, Retention
from holdfast.queue.link.presence import LiveWorker

EMPTY = dict.fromkeys(("wait", "active", "completed", "failed", "delayed", "paused"), 0)


def kinds(report: AuditReport) -> list[tuple[str, str]]:
    return sorted((finding.kind, finding.subject) for finding in report.findings)


async def populate(queue: Queue, working: Any, counted: Any) -> None:
    """Jobs of all kinds in all states, three or more of each."""

    async def broken(_job: Job) -> None:
        raise ValueError("no")

    keep = Retention(count=2)
    await queue.add_many([NewJob("broken") for _ in range(3)] + [NewJob("x") for _ in range(3)])
    await queue.add_many([NewJob("x", remove_on_complete=keep, job_id=f"c-{n}") for n in range(5)])
    async with working({"broken": broken, "x": lambda _job: None}):
        await counted(failed=3, completed=5)
    await queue.add_many([NewJob("x", job_id=f"w-{n}") for n in range(4)])
    await queue.add_many([NewJob("x", priority=n, job_id=f"p-{n}") for n in range(1, 4)])
    await queue.add_many([NewJob("x", delay=60, job_id=f"d-{n}") for n in range(3)])


async def test_a_sound_queue_has_no_findings(queue: Queue, working: Any, counted: Any) -> None:
    await populate(queue, working, counted)

    report = await queue.audit()

    assert report.findings == ()
    assert report.ok
    assert report.is_complete
    assert report.looked_at == 18


SICK: dict[str, tuple[list[Any], tuple[str, str], tuple[str, ...], dict[str, int], str | None]] = {
    # name: commands, the finding, its places, counts after the repair beside those of `populate`, where the id is then
    "no hash behind a waiting id": (["DEL", "w-1"], ("ghost", "w-1"), ("wait",), {"wait": -1}, None),
    "no hash behind a failed id": (["ZADD", "failed", 1, "gone"], ("ghost", "gone"), ("failed",), {}, None),
    "a list behind a delayed id": (
        [("DEL", "d-0"), ("RPUSH", "d-0", "x")],
        ("ghost", "d-0"),
        ("delayed",),
        {"delayed": -1},
        None,
    ),
    "a job in no list": (["LREM", "wait", 0, "w-2"], ("orphan", "w-2"), (), {}, "wait"),
    "a prioritized job in no list": (
        [("LREM", "wait", 0, "p-2"), ("ZREM", "priority", "p-2")],
        ("orphan", "p-2"),
        (),
        {},
        "wait",
    ),
    "a completed job in no set": (["ZREM", "completed", "4"], ("orphan", "4"), (), {}, "completed"),
    "waiting twice": (["LPUSH", "wait", "w-0"], ("twice", "w-0"), ("wait", "wait"), {}, "wait"),
    "waiting and paused": (
        [("SET", "meta-paused", 1), ("HSET", "meta", "paused", 1), ("RENAME", "wait", "paused"),
         ("RPUSH", "paused", "d-1")],
        ("twice", "d-1"), ("delayed", "paused"), {"wait": -7, "paused": 8, "delayed": -1}, "paused",
    ),
    "waiting and running": (
        [("SET", "w-3:lock", "me"), ("LPUSH", "active", "w-3")],
        ("twice", "w-3"), ("active", "wait"), {"wait": -1, "active": 1}, "active",
    ),
    "waiting and ended": (["RPUSH", "wait", "c-3"], ("twice", "c-3"), ("completed", "wait"), {}, "completed"),
    "completed and failed": (["ZADD", "failed", 5, "c-3"], ("twice", "c-3"), ("completed", "failed"), {}, "completed"),
    "active without a lock": (
        [("LREM", "wait", 0, "w-1"), ("LPUSH", "active", "w-1")],
        ("abandoned", "w-1"),
        ("active",),
        {},
        "wait",
    ),
    "a lock of a waiting job": (["SET", "w-1:lock", "me"], ("stray_lock", "w-1"), ("wait",), {}, "wait"),
    "a lock of nothing": (["SET", "gone:lock", "me"], ("stray_lock", "gone"), (), {}, None),
    "prioritized though delayed": (
        ["ZADD", "priority", 1, "d-2"],
        ("stale_priority", "d-2"),
        ("delayed",),
        {},
        "delayed",
    ),
    "prioritized though gone": (["ZADD", "priority", 1, "gone"], ("stale_priority", "gone"), (), {}, None),
    "a hash that is no job": (["HSET", "husk", "progress", 1], ("husk", "husk"), (), {}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", SICK)
async def test_each_way_to_be_wrong_is_found_and_mended_and_nothing_else_is_touched(
    queue: Queue, working: Any, counted: Any, client: Any, name: str
) -> None:
    commands, expected, places, change, then = SICK[name]
    await populate(queue, working, counted)
    sound = EMPTY | {"wait": 7, "delayed": 3, "failed": 3, "completed": 5}
    for command in commands if isinstance(commands[0], tuple) else [commands]:
        verb, *keys = command
        count = 2 if verb == "RENAME" else 1
        await client.execute_command(verb, *[f"bull:q:{key}" for key in keys[:count]], *keys[count:])

    found = await queue.audit()
    mended = await queue.repair(dry_run=False)
    again = await queue.audit()

    assert kinds(found) == [expected]
    assert found.findings[0].places == places
    assert not found.ok
    assert not found.findings[0].repaired
    assert kinds(mended) == [expected]
    assert mended.findings[0].repaired
    assert again.findings == ()
    assert await queue.counts() == {state: count + change.get(state, 0) for state, count in sound.items()}
    assert (await queue.states([expected[1]]))[expected[1]] == then


async def test_what_lies_about_is_found_and_swept_away(queue: Queue, working: Any, counted: Any, client: Any) -> None:
    await populate(queue, working, counted)
    await client.zadd("bull:q:keep:completed:2:-1", {"gone": 1})
    await client.set("bull:q:de:lost", "gone")
    await client.set("bull:q:de:held", "w-1")
    await client.hset("bull:q:meta", "paused", 1)
    await client.zadd("bull:q:presence", {"feed": 1})
    every = await queue.repeat("tick", every=3600)
    await client.delete(f"bull:q:{await _next_of(client)}")
    await client.zrem(
        "bull:q:delayed", *[key for key in await client.zrange("bull:q:delayed", 0, -1) if "repeat" in key]
    )
    wrong = sorted(
        [
            ("stale_keep", "gone"),
            ("loose_debounce", "de:lost"),
            ("pause_marks", "bull:q:meta-paused"),
            ("dead_worker", "feed"),
            ("silent_repeatable", every.key),
        ]
    )

    assert kinds(await queue.audit()) == wrong
    assert kinds(await queue.repair()) == wrong
    mended = await queue.repair(dry_run=False)

    assert kinds(mended) == wrong
    assert all(finding.repaired for finding in mended.findings)
    assert (await queue.audit()).findings == ()
    assert await client.get("bull:q:de:held") == "w-1"


async def _next_of(client: Any) -> str:
    return next(job_id for job_id in await client.zrange("bull:q:delayed", 0, -1) if job_id.startswith("repeat:"))


async def test_a_worker_that_died_is_no_reason_to_call_the_queue_unsound(queue: Queue, client: Any) -> None:
    await client.zadd("bull:q:presence", {"feed": 1})

    report = await queue.audit()

    assert kinds(report) == [("dead_worker", "feed")]
    assert report.ok


async def test_jobs_of_a_queue_whose_name_begins_with_this_one_s_are_not_taken_for_its_own(
    queue: Queue, client: Any
) -> None:
    async with Queue("q:other", url=queue.url) as other:
        await other.add_many([NewJob("x", job_id="a"), NewJob("x", delay=60)])
        await client.set("bull:q:other:a:lock", "x")

        assert (await queue.repair(dry_run=False)).findings == ()

        assert await other.counts() == EMPTY | {"wait": 1, "delayed": 1}


async def test_a_queue_at_work_has_no_findings(queue: Queue, working: Any, until: Any) -> None:
    """Jobs that move while they are looked for are not taken for lost, doubled or abandoned."""
    stop = asyncio.Event()
    added = 0

    async def flaky(job: Job) -> None:
        if job.attempts_made < job.data % 3:
            raise ValueError("again")

    async def produce() -> None:
        nonlocal added
        while not stop.is_set():
            await queue.add_many(
                [
                    NewJob(
                        "x",
                        n,
                        attempts=3,
                        priority=n % 4,
                        delay=0.2 * (n % 7 == 0),
                        remove_on_complete=[False, True, 50][n % 3],
                    )
                    for n in range(200)
                ]
            )
            added += 200
            while (await queue.counts())["wait"] > 500:
                await asyncio.sleep(0.01)

    async with working({"x": flaky}, concurrency=50):
        producing = asyncio.create_task(produce())
        try:
            reports = [await queue.repair(dry_run=False) for _ in range(4)]
        finally:
            stop.set()
            await producing

    assert [kinds(report) for report in reports] == [[]] * len(reports)


async def test_an_audit_looks_at_a_bounded_number_in_each_script_call(queue: Queue, client: Any) -> None:
    await queue.add_many([NewJob("x") for _ in range(5_000)])
    await client.ltrim("bull:q:wait", 0, 4_899)  # a hundred orphans
    longest = 0
    async with client.monitor() as monitor:

        async def watch() -> None:
            nonlocal longest
            async for command in monitor.listen():
                words = command["command"].split(" ")
                if words[0].startswith("EVAL"):
                    longest = max(longest, len(words))
                elif words[0] == "LRANGE":
                    assert int(words[3]) - int(words[2]) < 500

        watching = asyncio.create_task(watch())
        report = await queue.audit()
        watching.cancel()

    assert len(report.findings) == 100
    assert {finding.kind for finding in report.findings} == {"orphan"}
    assert 200 < longest < 600


async def test_a_live_worker_is_no_finding(queue: Queue, client: Any) -> None:
    about = LiveWorker.here("feed", concurrency=1)
    await client.zadd("bull:q:presence", {about.id: 2**50})

    assert (await queue.audit()).findings == ()
