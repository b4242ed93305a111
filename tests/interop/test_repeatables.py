"""What runs again and again and what is debounced, set by one side and kept going, listed and removed by the other."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.interop.bridge import Node

from holdfast.queue import Debounce, Job, Queue

END = datetime(2199, 1, 1, tzinfo=UTC)
END_MS = round(END.timestamp() * 1000)
# Ours, and what Node is asked with.
RULES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"every": 60}, {"every": 60_000}),
    ({"every": 60, "job_id": "me"}, {"every": 60_000, "jobId": "me"}),
    ({"cron": "0 3 1 1 *", "tz": "Europe/Warsaw"}, {"cron": "0 3 1 1 *", "tz": "Europe/Warsaw"}),
    ({"cron": "*/30 * 2 * * 1-5", "tz": "UTC"}, {"cron": "*/30 * 2 * * 1-5", "tz": "UTC"}),
    (
        {"cron": "0 3 * * *", "tz": "UTC", "end_date": END, "job_id": "j:k"},
        {"cron": "0 3 * * *", "tz": "UTC", "endDate": END_MS, "jobId": "j:k"},
    ),
]


def _node_options(rule: dict[str, Any]) -> dict[str, Any]:
    """As Node's `add` takes them: the id of a repeatable is the job's."""
    job_id = {"jobId": rule["jobId"]} if "jobId" in rule else {}
    return {"repeat": {name: value for name, value in rule.items() if name != "jobId"}, **job_id}


@pytest.mark.parametrize(("ours", "theirs"), RULES)
async def test_both_sides_make_the_same_run_of_the_same_rule(
    queue: Queue, client: Any, node: Node, ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    mine = await queue.repeat("tick", {"n": 1}, **ours)
    made = {key: await client.hgetall(key) for key in await client.keys("bull:q:repeat:*")}

    await node.queue().add("tick", {"n": 1}, **_node_options(theirs))

    assert await client.zcard("bull:q:repeat") == 1
    assert {key: await client.hgetall(key) for key in await client.keys("bull:q:repeat:*")} == made
    (listed,) = await node.queue().call("getRepeatableJobs")
    assert listed["key"] == mine.key
    assert listed["next"] == round(mine.next_run.timestamp() * 1000)


@pytest.mark.parametrize(("ours", "theirs"), RULES)
async def test_node_removes_what_we_set(
    queue: Queue, client: Any, node: Node, ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    await queue.repeat("tick", **ours)

    await node.queue().call("removeRepeatable", "tick", theirs)

    assert await queue.repeatables() == []
    assert await client.exists("bull:q:repeat", "bull:q:delayed") == 0


@pytest.mark.parametrize(("ours", "theirs"), RULES)
async def test_we_list_and_remove_what_node_set(
    queue: Queue, client: Any, node: Node, ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    await node.queue().add("a:b", {"n": 1}, **_node_options(theirs))

    (listed,) = await queue.repeatables()
    assert (listed.name, listed.job_id, listed.data) == ("a:b", ours.get("job_id"), {"n": 1})
    assert (listed.cron, listed.tz, listed.end_date) == (ours.get("cron"), ours.get("tz"), ours.get("end_date"))
    assert await queue.remove_repeatable(listed)

    assert await node.queue().call("getRepeatableJobs") == []
    assert await client.exists("bull:q:delayed") == 0


async def test_node_keeps_going_what_we_set_and_stops_at_the_limit(queue: Queue, node: Node, counted: Any) -> None:
    await queue.repeat("tick", {"n": 1}, every=1, limit=2)

    await node.queue().process("tick")
    await counted(completed=2)

    jobs = await queue.jobs("completed")
    assert [job.opts["repeat"]["count"] for job in jobs] == [2, 1]
    assert jobs[0].returnvalue == {"by": "node", "data": {"n": 1}}


async def test_we_keep_going_what_node_set_and_stop_at_the_limit(
    queue: Queue, client: Any, node: Node, working: Any, counted: Any
) -> None:
    async def idle(_job: Job) -> None:
        pass

    await node.queue().add("tick", {"n": 1}, repeat={"every": 1_000, "limit": 2})

    async with working({"tick": idle}):
        await counted(completed=2)

    assert [job.opts["repeat"]["count"] for job in await queue.jobs("completed")] == [2, 1]
    assert await client.exists("bull:q:repeat") == 0


async def test_both_sides_at_work_run_each_time_once(queue: Queue, node: Node, working: Any, until: Any) -> None:
    async def idle(_job: Job) -> str:
        return "ours"

    await queue.repeat("tick", every=0.5, limit=8)
    await node.queue().process("tick")
    async with working({"tick": idle}):

        async def done() -> bool:
            return (await queue.counts())["completed"] == 8

        await until(done)

    jobs = await queue.jobs("completed")
    assert sorted(job.opts["repeat"]["count"] for job in jobs) == list(range(1, 9))
    assert len({job.id for job in jobs}) == 8


async def test_a_debounce_of_ours_holds_node_off_and_one_of_node_s_us(
    queue: Queue, client: Any, node: Node, counted: Any
) -> None:
    bull = node.queue()
    ours = await queue.add("a", debounce=Debounce(id="x", ttl=60))
    theirs = await bull.add("b", 1, debounce={"id": "y"})

    assert (await bull.add("a", debounce={"id": "x", "ttl": 60_000}))["id"] == ours.id
    assert (await queue.add("b", debounce=Debounce(id="y"))).id == theirs["id"]
    assert await client.hget(f"bull:q:{theirs['id']}", "deid") == "y"

    await bull.process()
    await counted(completed=2)
    assert await client.keys("bull:q:de:*") == ["bull:q:de:x"]  # the one with a time


async def test_a_debounce_that_node_set_ends_when_we_finish_the_job(
    queue: Queue, client: Any, node: Node, working: Any, counted: Any
) -> None:
    async def idle(_job: Job) -> None:
        pass

    await node.queue().add("b", 1, debounce={"id": "y"})
    assert await client.exists("bull:q:de:y") == 1

    async with working({"b": idle}):
        await counted(completed=1)

    assert await client.exists("bull:q:de:y") == 0
