"""What repeats, whoever set it and whoever works it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.interop.bridge import Node

from holdfast.queue import Job, Queue

END = datetime(2035, 1, 1, tzinfo=UTC)
END_MS = round(END.timestamp() * 1000)
RULES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"every": timedelta(weeks=1)}, {"every": 604_800_000}),
    ({"cron": "0 3 * * *"}, {"cron": "0 3 * * *"}),
    ({"cron": "30 2 * * 1", "tz": "Europe/Warsaw"}, {"cron": "30 2 * * 1", "tz": "Europe/Warsaw"}),
    ({"cron": "0 3 * * *", "end_date": END}, {"cron": "0 3 * * *", "endDate": END_MS}),
    ({"every": timedelta(weeks=2), "job_id": "mine"}, {"every": 1_209_600_000, "jobId": "mine"}),
    ({"cron": "0 3 1 * *", "limit": 5}, {"cron": "0 3 1 * *", "limit": 5}),
]


async def test_a_rule_is_the_same_key_and_the_same_next_job_for_both(queue: Queue, node: Node, client: Any) -> None:
    bull = node.queue()

    async def seen() -> dict[str, Any]:
        (job,) = await bull.call("getDelayed")
        ((job_id, score),) = await client.zrange("bull:q:delayed", 0, -1, withscores=True)
        return {
            "listed": await bull.call("getRepeatableJobs"),
            "next": (job_id, int(score) // 4096),
            "job": (job["name"], job["data"], *(job["opts"][each] for each in ("repeat", "prevMillis", "jobId"))),
        }

    for ours, theirs in RULES:
        await bull.add("tick", {"n": 1}, repeat=theirs, **_id_of(theirs))
        by_node = await seen()
        await client.flushall()
        await queue.repeat("tick", {"n": 1}, **ours)

        assert await seen() == by_node
        await client.flushall()


async def test_node_removes_what_we_repeat(queue: Queue, node: Node, counted: Any) -> None:
    bull = node.queue()
    for ours, _ in RULES:
        await queue.repeat("tick", **ours)
        (listed,) = await bull.call("getRepeatableJobs")

        await bull.call("removeRepeatableByKey", listed["key"])

        assert await queue.repeatables() == []
        await counted()


async def test_we_read_and_remove_what_node_repeats(queue: Queue, node: Node, counted: Any) -> None:
    bull = node.queue()
    for _, theirs in RULES:
        await bull.add("tick", {"n": 1}, repeat=theirs, **_id_of(theirs))

        (found,) = await queue.repeatables()
        assert (found.name, found.data, found.limit) == ("tick", {"n": 1}, theirs.get("limit"))
        assert (found.cron, found.tz) == (theirs.get("cron"), theirs.get("tz"))
        assert found.every == (timedelta(milliseconds=theirs["every"]) if "every" in theirs else None)
        assert found.end_date == (END if "endDate" in theirs else None)

        assert await queue.remove_repeatable(found) is True
        assert await bull.call("getRepeatableJobs") == []
        await counted()


@pytest.mark.parametrize("setter", ["node", "holdfast"])
@pytest.mark.parametrize("workers", ["node", "holdfast", "both"])
async def test_a_chain_goes_on_whoever_set_it_and_whoever_works_and_each_run_runs_once(
    queue: Queue, node: Node, working: Any, until: Any, setter: str, workers: str
) -> None:
    bull = node.queue()
    if setter == "node":
        await bull.add("tick", {"n": 1}, repeat={"every": 40, "limit": 8})
    else:
        await queue.repeat("tick", {"n": 1}, every=0.04, limit=8)

    async def all_ran() -> bool:
        counts = await queue.counts()
        return counts["completed"] >= 8 and not (counts["delayed"] or counts["active"] or counts["wait"])

    if workers in ("node", "both"):
        await bull.process()
    if workers == "node":
        await until(all_ran)
    else:
        async with working({"tick": _tick}):
            await until(all_ran)

    done = await queue.jobs("completed")
    runs = Counter(job.opts["repeat"]["count"] for job in done)
    assert runs == dict.fromkeys(range(1, 9), 1)
    assert len({job.opts["prevMillis"] for job in done}) == 8
    assert {job.data["n"] for job in done} == {1}


async def test_the_board_lists_what_we_repeat_and_its_button_removes_it(queue: Queue, node: Node, counted: Any) -> None:
    await node.queue().open()
    port = await node.call("board", queues=["q"])
    found = await queue.repeat("tick", cron="0 3 * * *", tz="Europe/Warsaw")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        listed = (await client.get("/api/job-schedulers")).raise_for_status().json()
        shown = [each for each in _schedulers(listed) if each["id"] == found.key]
        assert [(each["name"], each["pattern"], each["tz"]) for each in shown] == [
            ("tick", "0 3 * * *", "Europe/Warsaw")
        ]
        assert shown[0]["next"] == round(found.next_run.timestamp() * 1000)

        await client.put(f"/api/queues/q/job-schedulers/{quote(found.key, safe='')}/remove")

    assert await queue.repeatables() == []
    await counted()


def _id_of(rule: dict[str, Any]) -> dict[str, Any]:
    """Bull takes a repeatable's id from the job's options."""
    return {"jobId": rule["jobId"]} if "jobId" in rule else {}


def _schedulers(value: Any) -> list[dict[str, Any]]:
    """Every object in the answer that has a pattern."""
    if isinstance(value, list):
        return [found for each in value for found in _schedulers(each)]
    if isinstance(value, dict):
        return [value] if "pattern" in value else _schedulers(list(value.values()))
    return []


async def _tick(_job: Job) -> str:
    return "tock"
