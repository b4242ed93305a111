"""Each deliberate difference from Bull that the random sequences keep away from, shown on both."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from tests.interop.bridge import Node
from tests.interop.differences import DIFFERENCES

from holdfast.queue import BadJob, Job, Queue, QueueError

DOCUMENT = Path(__file__).parents[2] / "docs/explanation/bull-differences.md"


def test_the_document_and_the_table_name_the_same_differences() -> None:
    headings = re.findall(r"^### (.+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(headings) == sorted(difference.name for difference in DIFFERENCES)


def test_each_difference_is_looked_past_or_shown_by_a_test_that_exists() -> None:
    for difference in DIFFERENCES:
        keys = difference.ours_alone or difference.theirs_alone or difference.fields
        looked_past = keys or difference.dumps or difference.said

        assert looked_past or difference.shown_by, difference.name
        assert not difference.shown_by or difference.shown_by in globals(), difference.name


@pytest.mark.parametrize("worker", ["node", "holdfast"])
async def test_a_retry_by_hand_keeps_the_priority(
    queue: Queue, node: Node, working: Any, counted: Any, worker: str
) -> None:
    bull = node.queue()
    async with working({"x": _refuse}):
        job = await queue.add("x", priority=1)
        await counted(failed=1)
    other = await queue.add("x", priority=2)

    await (bull.job(job.id, "retry") if worker == "node" else queue.retry(job.id))

    order = [each.id for each in await queue.jobs("wait")]
    assert order == ([other.id, job.id] if worker == "node" else [job.id, other.id])


@pytest.mark.parametrize("worker", ["node", "holdfast"])
async def test_lifo_holds_for_the_add_alone(queue: Queue, node: Node, working: Any, counted: Any, worker: str) -> None:
    bull = node.queue()
    async with working({"x": _refuse}):
        job = await queue.add("x", lifo=True)
        await counted(failed=1)
    other = await queue.add("x")

    await (bull.job(job.id, "retry") if worker == "node" else queue.retry(job.id))

    order = [each.id for each in await queue.jobs("wait")]
    assert order == ([job.id, other.id] if worker == "node" else [other.id, job.id])


@pytest.mark.parametrize("worker", ["node", "holdfast"])
async def test_a_retry_by_hand_gives_all_attempts_again(
    queue: Queue, node: Node, working: Any, counted: Any, worker: str
) -> None:
    bull = node.queue()
    job = await queue.add("x", attempts=2)
    async with working({"x": _refuse}):
        await counted(failed=1)
        await (bull.job(job.id, "retry") if worker == "node" else queue.retry(job.id))
        await counted(failed=1)

    again = await queue.get(job.id)
    assert again is not None
    assert again.attempts_made == (3 if worker == "node" else 2)


@pytest.mark.parametrize("worker", ["node", "holdfast"])
async def test_a_refused_retry_changes_nothing(
    queue: Queue, node: Node, working: Any, counted: Any, client: Any, worker: str
) -> None:
    bull = node.queue()
    job = await queue.add("x")
    async with working({"x": _nothing}):
        await counted(completed=1)
    before = await client.hgetall(f"bull:q:{job.id}")

    with pytest.raises(Exception, match="failed"):
        await (bull.job(job.id, "retry") if worker == "node" else queue.retry(job.id))

    changed = {name for name, _ in before.items() ^ (await client.hgetall(f"bull:q:{job.id}")).items()}
    assert changed == ({"finishedOn", "processedOn", "retriedOn"} if worker == "node" else set())


@pytest.mark.parametrize("worker", ["node", "holdfast"])
async def test_a_job_s_bound_removes_no_job_that_says_keep(queue: Queue, node: Node, working: Any, worker: str) -> None:
    bull = node.queue()
    await bull.listen("global:completed")
    for _ in range(3):
        await queue.add("x")
    await queue.add("x", remove_on_complete=1)
    if worker == "node":
        await bull.process()
        await node.hears("global:completed", 4)
    else:
        async with working({"x": _nothing}):
            await node.hears("global:completed", 4)

    assert (await queue.counts())["completed"] == (1 if worker == "node" else 4)


async def test_progress_goes_forward_unless_told_to_go_back(
    queue: Queue, node: Node, working: Any, counted: Any
) -> None:
    async def go(job: Job) -> Any:
        await job.update_progress(60)
        await job.update_progress(20)
        current = await queue.get(job.id)
        await job.update_progress(20, back=True)
        return current.progress if current else None

    bull = node.queue()
    job = await queue.add("x")
    async with working({"x": go}):
        await counted(completed=1)
    theirs = await queue.add("x")
    await bull.process(how="ask")
    await node.hears("processing")
    for value in (60, 20):
        await node.call("running", job=theirs.id, method="progress", args=[value])

    assert (await bull.job(job.id))["returnvalue"] == 60
    assert (await bull.job(job.id))["progress"] == 20
    assert (await bull.job(theirs.id))["progress"] == 20


async def test_numbers_are_no_ids_of_ours(queue: Queue, node: Node) -> None:
    assert (await node.queue().add("x", None, jobId="7"))["id"] == "7"

    with pytest.raises(BadJob, match="number"):
        await queue.add("x", job_id="7")

    # What Node took of our numbers is jumped over.
    ids = [(await queue.add("x")).id for _ in range(7)]
    assert "7" not in ids


async def test_a_job_without_data_runs_nowhere(
    queue: Queue, node: Node, working: Any, counted: Any, client: Any
) -> None:
    bull = node.queue()
    await bull.listen("global:completed")
    await client.lpush("bull:q:wait", "ghost")
    await bull.process()
    assert [args[0] for args in await node.hears("global:completed")] == ["ghost"]
    await node.end()

    await client.lpush("bull:q:wait", "ghost of ours")
    async with working({"*": _nothing}):
        await counted(completed=1)

    assert await queue.ghosts() == ["ghost of ours"]


@pytest.mark.parametrize("who", ["node", "holdfast"])
async def test_an_emptied_queue_keeps_no_data_of_its_jobs(queue: Queue, node: Node, client: Any, who: str) -> None:
    bull = node.queue()
    await queue.add("x")
    delayed = await queue.add("x", delay=3_600)

    await (bull.call("empty") if who == "node" else queue.drain(delayed=True))

    assert sum((await queue.counts()).values()) == 0
    assert await client.keys("bull:q:[0-9]*") == ([f"bull:q:{delayed.id}"] if who == "node" else [])


async def test_obliterate_wants_a_pause_first(queue: Queue, node: Node) -> None:
    bull = node.queue()
    await queue.add("x")

    with pytest.raises(QueueError, match="pause it first"):
        await queue.obliterate()
    assert await bull.call("count") == 1

    await bull.call("obliterate")
    assert await bull.call("count") == 0


async def _nothing(_job: Job) -> None:
    pass


async def _refuse(job: Job) -> None:
    raise QueueError(f"no, {job.id}")


async def test_a_job_in_the_line_of_its_group_is_in_no_list_of_bull_s(
    queue: Queue, node: Node, working: Any, counted: Any, until: Any, client: Any
) -> None:
    async def hold(_job: Job) -> None:
        await end.wait()

    end = asyncio.Event()
    bull = node.queue()
    async with working({"x": hold}, group_concurrency=1):
        jobs = [await queue.add("x", group="a") for _ in range(2)]

        async def parked() -> bool:
            return bool(await client.zcard("bull:q:parked")) and (await queue.counts())["active"] == 1

        await until(parked)
        assert await bull.call("getWaitingCount") == 0
        assert await bull.job(jobs[1].id, "getState") == "stuck"
        assert await queue.states([jobs[1].id]) == {jobs[1].id: "wait"}
        end.set()
        await counted(completed=2)
    assert await bull.job(jobs[1].id, "getState") == "completed"
