"""Bull Board: what its pages show of our jobs, and what its buttons do to them. Through its own HTTP API."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.interop.bridge import Node

from holdfast.queue import Job, Queue

LONG_AGO_MS = 60_000  # the board's clean spares what is younger than five seconds


class Board:
    """The board's API for the queue `q`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str = "", **query: str) -> Any:
        """Read something below the queue."""
        reply = await self._client.get(f"/api/queues/q{path}", params=query)
        reply.raise_for_status()
        return reply.json()

    async def page(self, status: str = "latest") -> dict[str, Any]:
        """The queue as its page shows it."""
        reply = await self._client.get(
            "/api/queues", params={"activeQueue": "q", "status": status, "jobsPerPage": "20"}
        )
        reply.raise_for_status()
        (queue,) = reply.json()["queues"]
        return dict(queue)

    async def press(self, path: str) -> None:
        """Press one of the buttons."""
        (await self._client.put(f"/api/queues/q{path}")).raise_for_status()

    async def add(self, name: str, data: Any, options: dict[str, Any]) -> dict[str, Any]:
        """The form for a new job."""
        body = {"name": name, "data": data, "options": options}
        reply = await self._client.post("/api/queues/q/add", json=body)
        reply.raise_for_status()
        return dict(reply.json())


@pytest.fixture
async def board(node: Node) -> AsyncIterator[Board]:
    await node.queue().open()
    port = await node.call("board", queues=["q"])
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        yield Board(client)


async def work(job: Job) -> dict[str, int]:
    await job.update_progress(50)
    await job.log("half way")
    if job.name == "bad" and not job.data:
        raise ValueError("cannot")
    return {"answer": 42}


async def test_the_page_shows_our_jobs_in_each_state(queue: Queue, board: Board, working: Any, counted: Any) -> None:
    async with working({"*": work}):
        good = await queue.add("good", {"n": 1}, attempts=3)
        bad = await queue.add("bad")
        await counted(completed=1, failed=1)
    delayed = await queue.add("later", delay=3_600)
    waiting = await queue.add("urgent", priority=3)

    page = await board.page()
    shown = {job["id"]: job for job in page["jobs"]}
    assert page["counts"] == {"waiting": 1, "active": 0, "completed": 1, "failed": 1, "delayed": 1, "paused": 0}
    assert page["isPaused"] is False
    assert set(shown) == {good.id, bad.id, delayed.id, waiting.id}
    done, failed = shown[good.id], shown[bad.id]
    assert (done["name"], done["data"], done["returnValue"]) == ("good", {"n": 1}, {"answer": 42})
    assert (done["progress"], done["attempts"], done["isFailed"]) == (50, 1, False)
    assert done["opts"]["attempts"] == 3
    assert done["timestamp"] <= done["processedOn"] <= done["finishedOn"]
    assert (failed["failedReason"], failed["isFailed"]) == ("cannot", True)
    assert failed["stacktrace"][0].splitlines()[-1] == "ValueError: cannot"
    assert shown[delayed.id]["delay"] == 3_600_000
    assert shown[waiting.id]["opts"]["priority"] == 3


async def test_each_tab_shows_the_jobs_of_its_state(queue: Queue, board: Board, working: Any, counted: Any) -> None:
    async def run(job: Job) -> None:
        if job.name == "active":
            await end.wait()
        await work(job)

    end = asyncio.Event()
    async with working({"*": run}, concurrency=1):
        for name, data in (("completed", 1), ("bad", None), ("active", 1), ("waiting", 1)):
            await queue.add(name, data)
        await queue.add("delayed", delay=3_600)
        await counted(completed=1, failed=1, active=1, wait=1, delayed=1)

        tabs = ("waiting", "active", "completed", "failed", "delayed")
        pages = {status: (await board.page(status))["jobs"] for status in tabs}
        end.set()

    shown = {status: [job["name"] for job in jobs] for status, jobs in pages.items()}
    assert shown == {status: ["bad" if status == "failed" else status] for status in tabs}


async def test_the_page_of_a_job_shows_its_state_and_its_log(
    queue: Queue, board: Board, working: Any, counted: Any
) -> None:
    job = await queue.add("good")
    async with working({"*": work}):
        await counted(completed=1)

    page = await board.get(f"/{job.id}")
    assert page["status"] == "completed"
    assert page["job"]["returnValue"] == {"answer": 42}
    assert await board.get(f"/{job.id}/logs") == ["half way"]


async def test_a_job_that_succeeded_at_last_is_not_shown_as_failed(
    queue: Queue, board: Board, working: Any, counted: Any
) -> None:
    async def second_time(job: Job) -> None:
        if not job.attempts_made:
            raise ValueError("the first time")

    await queue.add("x", attempts=2)
    async with working({"x": second_time}):
        await counted(completed=1)

    (job,) = (await board.page("completed"))["jobs"]
    assert job["isFailed"] is False
    assert job["attempts"] == 2


async def test_the_page_shows_our_workers(queue: Queue, board: Board, working: Any, until: Any) -> None:
    assert (await board.get("/workers"))["workers"] == []
    async with working({"*": work}):

        async def seen() -> Any:
            return (await board.get("/workers"))["workers"]

        assert len(await until(seen)) == 1
        assert (await board.page())["hasWorkers"] is True


async def test_its_retry_runs_a_failed_job_of_ours_again(
    queue: Queue, board: Board, working: Any, counted: Any
) -> None:
    failures = 1

    async def run(job: Job) -> str:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise ValueError("not yet")
        return "at last"

    async with working({"*": run}):
        job = await queue.add("x")
        await counted(failed=1)
        await board.press(f"/{job.id}/retry")
        await counted(completed=1)

    done = await queue.get(job.id)
    assert done is not None
    assert done.returnvalue == "at last"
    assert (await board.page("completed"))["jobs"][0]["isFailed"] is False


async def test_its_retry_all_runs_all_failed_jobs_again(queue: Queue, board: Board, working: Any, counted: Any) -> None:
    jobs = [await queue.add("bad") for _ in range(3)]
    async with working({"*": work}):
        await counted(failed=3)

    await board.press("/retry/failed")

    await counted(wait=3)
    assert await queue.states([job.id for job in jobs]) == {job.id: "wait" for job in jobs}


async def test_its_promote_makes_our_delayed_jobs_wait(queue: Queue, board: Board, counted: Any) -> None:
    jobs = [await queue.add("x", n, delay=3_600) for n in range(3)]

    await board.press(f"/{jobs[1].id}/promote")
    await counted(wait=1, delayed=2)
    assert [job.id for job in await queue.jobs("wait")] == [jobs[1].id]

    await board.press("/promote")
    await counted(wait=3)
    assert {job.id for job in await queue.jobs("wait")} == {job.id for job in jobs}


async def test_its_pause_and_resume_hold_for_us(queue: Queue, board: Board, working: Any, counted: Any) -> None:
    await board.press("/pause")
    await queue.add("x")
    await counted(paused=1)
    assert (await board.page())["isPaused"] is True

    async with working({"*": work}):
        await board.press("/resume")
        await counted(completed=1)
    assert (await board.page())["isPaused"] is False


async def test_it_shows_that_we_paused_the_queue(queue: Queue, board: Board) -> None:
    await queue.add("x")
    await queue.pause()

    page = await board.page("paused")
    assert page["isPaused"] is True
    assert page["counts"]["paused"] == 1
    assert [job["name"] for job in page["jobs"]] == ["x"]


async def test_its_remove_takes_one_job_of_ours_away(queue: Queue, board: Board, counted: Any) -> None:
    first, second = await queue.add("x"), await queue.add("x", delay=3_600)

    await board.press(f"/{first.id}/clean")
    await counted(delayed=1)
    await board.press(f"/{second.id}/clean")
    await counted()

    assert await queue.get(first.id) is None
    assert await queue.get(second.id) is None


async def test_its_clean_removes_our_old_jobs_and_spares_the_young(
    queue: Queue, board: Board, working: Any, counted: Any, client: Any
) -> None:
    async with working({"*": work}):
        old, _, bad = await queue.add("x", 1), await queue.add("x", 2), await queue.add("bad")
        await counted(completed=2, failed=1)
    for job, state in ((old, "completed"), (bad, "failed")):
        await age(client, job.id, state)

    await board.press("/clean/completed")
    await counted(completed=1, failed=1)
    await board.press("/clean/failed")
    await counted(completed=1)

    assert await queue.get(old.id) is None
    assert await client.keys(f"bull:q:{old.id}*") == []
    assert [job.data for job in await queue.jobs("completed")] == [2]


async def test_its_empty_removes_what_waits_and_we_go_on(
    queue: Queue, board: Board, working: Any, counted: Any
) -> None:
    await queue.add("x")
    await queue.add("x", priority=2)
    await queue.add("x", delay=3_600)

    await board.press("/empty")
    await counted()

    async with working({"*": work}):
        await queue.add("x", priority=1)
        await counted(completed=1)
    assert (await board.page())["counts"]["completed"] == 1


async def test_its_obliterate_leaves_a_queue_we_can_go_on_with(
    queue: Queue, board: Board, working: Any, counted: Any
) -> None:
    async with working({"*": work}):
        await queue.add("x", remove_on_complete=5)
        await counted(completed=1)
    await queue.add("x")

    await board.press("/pause")
    await board.press("/obliterate")
    await board.press("/resume")
    await counted()

    async with working({"*": work}):
        await queue.add("x", remove_on_complete=5)
        await counted(completed=1)
    assert (await board.page())["counts"]["completed"] == 1


async def test_a_job_its_form_added_is_worked_by_us(queue: Queue, board: Board, working: Any, counted: Any) -> None:
    added = await board.add("good", {"by": "hand"}, {"attempts": 2, "delay": 50})
    assert added["status"] == "delayed"

    async with working({"*": work}):
        await counted(completed=1)

    job = await queue.get(added["job"]["id"])
    assert job is not None
    assert (job.name, job.data, job.returnvalue) == ("good", {"by": "hand"}, {"answer": 42})
    assert job.opts["attempts"] == 2


async def age(client: Any, job_id: str, state: str) -> None:
    """Let a job have ended a minute ago."""
    key = f"bull:q:{job_id}"
    for field in ("timestamp", "processedOn", "finishedOn"):
        await client.hset(key, field, int(await client.hget(key, field)) - LONG_AGO_MS)
    await client.zincrby(f"bull:q:{state}", -LONG_AGO_MS, job_id)
