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
RULES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "every": ({"every": timedelta(weeks=1)}, {"every": 604_800_000}),
    "cron": ({"cron": "0 3 * * *"}, {"cron": "0 3 * * *"}),
    "cron in a zone": (
        {"cron": "30 2 * * 1", "tz": "Europe/Warsaw"},
        {"cron": "30 2 * * 1", "tz": "Europe/Warsaw"},
    ),
    "with an end": ({"cron": "0 3 * * *", "end_date": END}, {"cron": "0 3 * * *", "endDate": END_MS}),
    "with an id": ({"every": timedelta(weeks=2), "job_id": "mine"}, {"every": 1_209_600_000, "jobId": "mine"}),
    "with a limit": ({"cron": "0 3 1 * *", "limit": 5}, {"cron": "0 3 1 * *", "limit": 5}),
}


@pytest.mark.parametrize("rule", RULES)
async def test_a_rule_is_the_same_key_and_the_same_next_job_for_both(
    queue: Queue, node: Node, client: Any, rule: str
) -> None:
    ours, theirs = RULES[rule]
    bull = node.queue()
    await bull.add("tick", {"n": 1}, repeat=theirs, **_id_of(theirs))
    set_by_node = await bull.call("getRepeatableJobs"), await client.zrange("bull:q:delayed", 0, -1, withscores=True)
    opts = (await bull.call("getDelayed"))[0]["opts"]
    await client.flushall()

    await queue.repeat("tick", {"n": 1}, **ours)

    assert await bull.call("getRepeatableJobs") == set_by_node[0]
    by_us = await client.zrange("bull:q:delayed", 0, -1, withscores=True)
    assert [job_id for job_id, _ in by_us] == [job_id for job_id, _ in set_by_node[1]]
    assert int(by_us[0][1]) // 4096 == int(set_by_node[1][0][1]) // 4096
    job = (await bull.call("getDelayed"))[0]
    assert job["data"] == {"n": 1}
    for same in ("repeat", "prevMillis", "jobId"):
        assert job["opts"][same] == opts[same]


@pytest.mark.parametrize("rule", RULES)
async def test_node_removes_what_we_repeat(queue: Queue, node: Node, counted: Any, rule: str) -> None:
    bull = node.queue()
    await queue.repeat("tick", **RULES[rule][0])
    (listed,) = await bull.call("getRepeatableJobs")

    await bull.call("removeRepeatableByKey", listed["key"])

    assert await queue.repeatables() == []
    await counted()


@pytest.mark.parametrize("rule", RULES)
async def test_we_read_and_remove_what_node_repeats(queue: Queue, node: Node, counted: Any, rule: str) -> None:
    bull = node.queue()
    theirs = RULES[rule][1]
    await bull.add("tick", {"n": 1}, repeat=theirs, **_id_of(theirs))

    (found,) = await queue.repeatables()
    assert (found.name, found.data, found.cron, found.tz) == ("tick", {"n": 1}, theirs.get("cron"), theirs.get("tz"))
    assert found.every == (timedelta(milliseconds=theirs["every"]) if "every" in theirs else None)
    assert found.end_date == (END if "endDate" in theirs else None)
    assert found.limit == theirs.get("limit")

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
