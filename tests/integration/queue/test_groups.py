"""Groups, such as tenants: so many of each at once, and fair turns."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import orjson
import pytest

from holdfast.queue import BadJob, Job, NewJob, Queue, RateLimit, Worker
from holdfast.queue.work import limiting as limiting_module

Working = Callable[..., AbstractAsyncContextManager[Worker]]


async def nothing(_job: Job) -> None:
    pass


class Watch:
    """A processor that notes in which order jobs ran and how many of a group ran at once."""

    def __init__(self, seconds: float = 0.002) -> None:
        self.order: list[Any] = []
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._seconds = seconds

    async def __call__(self, job: Job) -> None:
        group = job.opts.get("group", "")
        self.order.append(job.data)
        self.now[group] += 1
        self.most[group] = max(self.most[group], self.now[group])
        await asyncio.sleep(self._seconds)
        self.now[group] -= 1


async def test_a_tenant_with_100_000_jobs_does_not_starve_one_with_ten(
    queue: Queue, working: Working, until: Any
) -> None:
    done: Counter[str] = Counter()
    big_when_small_was_done: list[int] = []

    async def note(job: Job) -> None:
        done[job.name] += 1
        if job.name == "small" and done["small"] == 10:
            big_when_small_was_done.append(done["big"])

    async def small_done() -> bool:
        return done["small"] == 10

    await queue.add_many([NewJob("big", group="tenant-1") for _ in range(100_000)])
    await queue.add_many([NewJob("small", group="tenant-2") for _ in range(10)])
    async with working({"*": note}, concurrency=10, group_concurrency=5):
        await until(small_done)

    counts = await queue.counts()
    assert big_when_small_was_done[0] < 1_000
    assert counts["wait"] + counts["completed"] == 100_010
    assert counts["active"] == 0


async def test_no_group_has_more_jobs_at_once_than_allowed_over_all_workers(
    queue: Queue, working: Working, counted: Any
) -> None:
    watch = Watch()
    await queue.add_many([NewJob("x", group=f"t{n % 3}") for n in range(300)])

    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(working({"x": watch}, concurrency=20, group_concurrency=4))
        await counted(completed=300)

    assert set(watch.most.values()) <= {1, 2, 3, 4}
    assert max(watch.most.values()) == 4


async def test_groups_take_turns_and_jobs_without_one_are_a_group_of_their_own(
    queue: Queue, working: Working, counted: Any
) -> None:
    watch = Watch()
    for group in ("a", "b", None):
        await queue.add_many([NewJob("x", group, group=group) for _ in range(20)])

    async with working({"x": watch}, concurrency=1, group_concurrency=1):
        await counted(completed=60)

    for first in range(0, 60, 3):
        assert set(watch.order[first : first + 3]) == {"a", "b", None}


async def test_jobs_of_a_group_run_by_priority_and_then_by_age(queue: Queue, working: Working, counted: Any) -> None:
    watch = Watch()
    await queue.add_many([NewJob("x", n, group="a") for n in range(3)])
    await queue.add_many([NewJob("x", f"p{p}", group="a", priority=p) for p in (5, 1, 3, 1)])
    await queue.add("x", "lifo", group="a", lifo=True)

    async with working({"x": watch}, concurrency=1, group_concurrency=1):
        await counted(completed=8)

    assert watch.order == ["lifo", "p1", "p1", "p3", "p5", 0, 1, 2]


async def test_a_more_urgent_job_that_comes_later_overtakes_those_in_line(
    queue: Queue, working: Working, counted: Any, client: Any, until: Any
) -> None:
    watch = Watch()
    go_on = asyncio.Event()

    async def first(job: Job) -> None:
        watch.order.append(job.data)
        await go_on.wait()

    await queue.add("first", "first", group="a")
    await queue.add_many([NewJob("x", n, group="a") for n in range(3)])
    async with working({"first": first, "x": watch}, group_concurrency=1, concurrency=2):
        await until(lambda: client.zcard("bull:q:parked"))

        await queue.add("x", "urgent", group="a", priority=1)
        await until(lambda: client.zscore("bull:q:parked", "5"))
        go_on.set()

        await counted(completed=5)

    assert watch.order == ["first", "urgent", 0, 1, 2]


async def test_jobs_in_line_are_seen_as_waiting_and_can_be_removed(
    queue: Queue, working: Working, counted: Any, client: Any, until: Any
) -> None:
    go_on = asyncio.Event()
    ran: list[int] = []

    async def hold(job: Job) -> None:
        ran.append(job.data)
        await go_on.wait()

    jobs = await queue.add_many([NewJob("x", n, group="a") for n in range(6)])
    async with working({"x": hold}, group_concurrency=1):
        await until(lambda: client.zcard("bull:q:parked"))

        assert await queue.counts() == {
            "wait": 5, "active": 1, "completed": 0, "failed": 0, "delayed": 0, "paused": 0,
        }  # fmt: skip
        assert [job.data for job in await queue.jobs("wait")] == [1, 2, 3, 4, 5]
        assert [job.data for job in await queue.jobs("wait", 1, 2)] == [2, 3]
        assert await queue.states([jobs[3].id]) == {jobs[3].id: "wait"}
        assert await queue.remove(jobs[1].id)
        assert await queue.remove(jobs[5].id)
        assert await queue.states([jobs[1].id]) == {jobs[1].id: None}

        go_on.set()
        await counted(completed=4)

    assert ran == [0, 2, 3, 4]
    assert [key async for key in client.scan_iter("bull:q:line*")] == []
    assert await client.exists("bull:q:ghosts") == 0


async def test_a_paused_queue_gives_no_job_that_is_in_line(
    queue: Queue, working: Working, counted: Any, client: Any, until: Any
) -> None:
    go_on = asyncio.Event()
    ran: list[int] = []

    async def hold(job: Job) -> None:
        ran.append(job.data)
        await go_on.wait()

    await queue.add_many([NewJob("x", n, group="a") for n in range(4)])
    async with working({"x": hold}, group_concurrency=1, poll_interval=0.05):
        await until(lambda: client.zcard("bull:q:parked"))

        await queue.pause()
        go_on.set()

        await counted(completed=1, paused=3)
        await queue.resume()
        await counted(completed=4)

    assert ran == [0, 1, 2, 3]


async def test_jobs_in_line_go_back_to_wait_when_no_worker_with_limits_is_left(
    queue: Queue, working: Working, counted: Any, client: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiting_module, "TEND_INTERVAL", 0.05)
    monkeypatch.setattr(limiting_module, "LIMITING_TTL_MS", 200)
    watch = Watch()
    hold = asyncio.Event()

    async def first(_job: Job) -> None:
        await hold.wait()

    await queue.add_many([NewJob("x", n, group="a", priority=n // 600) for n in range(1_200)])

    async def all_in_line() -> bool:
        return bool(await client.zcard("bull:q:parked") == 1_199)

    async def none_in_line() -> bool:
        return not await client.exists("bull:q:parked")

    async with working({"x": first}, group_concurrency=1, grace=0.0):
        await until(all_in_line)

    await queue.pause()  # so that none is taken before all are back
    async with working({"x": watch}, concurrency=1):
        await until(none_in_line)
        await queue.resume()
        await counted(completed=1_200)

    # 600 had been given back to wait when its worker stopped: it is not among those that come back from the line.
    assert [n for n in watch.order if n != 600] == [*range(601, 1_200), *range(600)]
    assert [key async for key in client.scan_iter("bull:q:line*")] == []


async def test_a_job_given_back_is_the_first_of_its_group_again(
    queue: Queue, working: Working, counted: Any, client: Any, until: Any
) -> None:
    watch = Watch()

    async def endless(_job: Job) -> None:
        await asyncio.Event().wait()

    await queue.add_many([NewJob("x", n, group="a") for n in range(5)])
    async with working({"x": endless}, group_concurrency=2, grace=0.0):
        await until(lambda: client.zcard("bull:q:parked"))

    async with working({"x": watch}, group_concurrency=1):
        await counted(completed=5)

    assert watch.order == [0, 1, 2, 3, 4]


async def test_a_failing_job_makes_room_in_its_group_at_once(queue: Queue, working: Working, counted: Any) -> None:
    async def broken(_job: Job) -> None:
        raise ValueError("no")

    loop = asyncio.get_running_loop()
    await queue.add_many([NewJob("x", group="a") for _ in range(20)])
    began = loop.time()

    async with working({"x": broken}, group_concurrency=1, poll_interval=60):
        await counted(failed=20)

    assert loop.time() - began < 3  # twenty times a quarter of a second would be 5


async def test_an_id_in_line_without_a_job_is_set_aside(
    queue: Queue, working: Working, counted: Any, client: Any
) -> None:
    await client.rpush("bull:q:wait", "ghost")
    await client.set("bull:q:text", "not a job")
    await client.rpush("bull:q:wait", "text")
    await queue.add("x", group="a")

    async with working({"x": nothing}, group_concurrency=1):
        await counted(completed=1)

    assert sorted(await client.lrange("bull:q:ghosts", 0, -1)) == ["ghost", "text"]


@pytest.mark.parametrize("group", ["limited", "index", "a:limited", 7, [], "{", "a" * 300])
async def test_a_group_of_a_stranger_that_cannot_be_one_is_none(
    queue: Queue, working: Working, counted: Any, client: Any, group: Any
) -> None:
    opts = '{"group":{' if group == "{" else orjson.dumps({"group": group}).decode()
    await client.hset("bull:q:strange", mapping={"name": "x", "data": "1", "opts": opts})
    await client.lpush("bull:q:wait", "strange")
    await client.sadd("bull:q:limiter:limited", "somebody")
    await queue.add("x", group="a")

    async with working({"x": nothing}, group_rate=RateLimit(max=1, per=60)):
        await counted(completed=2)


@pytest.mark.parametrize("group", ["", "a" * 257, "a\nb", "limited", "index", "t:limited", 7, "\ud800"])
async def test_a_group_that_cannot_be_part_of_a_key_is_refused(queue: Queue, group: Any) -> None:
    with pytest.raises(BadJob, match="group"):
        await queue.add("x", group=group)

    assert (await queue.counts())["wait"] == 0
