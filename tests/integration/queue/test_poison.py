"""What other hands wrote into a job, however broken, stops no other job."""

import json
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any

import pytest

from holdfast.queue import NewJob, Queue
from holdfast.queue.jobs.options import keep_to_script
from holdfast.queue.link.connection import Link
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import RecoveryRules, Scripts

AT_ONCE = RecoveryRules(interval_ms=0, quiet_ms=0, grace_ms=0, max_stalled=3)
FOREIGN_KEEPS = [
    *("null", "true", "false", "0", "7", "0.4", "7.9", "-1", "-3", "1e300", "1e999", '"5"', '"abc"', "[]", "[3]", "{}"),
    *('{"count":null}', '{"count":"5"}', '{"count":0}', '{"count":-1,"age":60}', '{"age":{"a":1}}', '{"age":0}'),
    *('{"count":7,"age":"x"}', '{"count":[1],"age":9.9}', '{"count":1e999}', '{"count":true}', '{"age":-0.4}'),
]


@pytest.fixture
async def scripts(queue: Queue) -> AsyncIterator[Scripts]:
    link = Link(queue.url, reporter=Reporter())
    yield Scripts(link, queue.keys)
    await link.close()


@pytest.mark.parametrize(
    ("field", "value", "to"),
    [
        ("stalledCounter", "many", "failed"),
        ("stalledCounter", "1.5", "failed"),
        ("stalledCounter", str(2**63 - 1), "failed"),
        ("attemptsMade", "twice", "wait"),
        ("opts", '{"removeOnFail":{"count":{"a":1},"age":"never"}}', "wait"),
        ("opts", "\x00", "wait"),
    ],
)
async def test_a_job_with_a_broken_field_is_given_up_or_run_again_and_others_are_taken_over(
    scripts: Scripts, queue: Queue, client: Any, field: str, value: str, to: str
) -> None:
    await queue.add_many([NewJob("x", job_id=name) for name in ("before", "broken", "behind")])
    await scripts.take(3, "a:1", 30_000, announce=False)
    await client.hset("bull:q:broken", field, value)

    recovered = {job.job_id: (job.to, job.attempts_made) for job in await scripts.recover(AT_ONCE)}

    assert recovered == {"before": ("wait", 0), "broken": (to, 0), "behind": ("wait", 0)}
    if to == "failed":
        broken = await queue.get("broken")
        assert broken is not None
        assert "stalledCounter is not a number" in str(broken.failed_reason)


@pytest.mark.parametrize("kind", ["list", "string", "nothing"])
async def test_an_active_id_that_is_no_job_is_set_aside_and_others_are_taken_over(
    scripts: Scripts, queue: Queue, client: Any, kind: str
) -> None:
    await queue.add_many([NewJob("x", job_id=name) for name in ("before", "broken", "behind")])
    await scripts.take(3, "a:1", 30_000, announce=False)
    await client.delete("bull:q:broken")
    if kind != "nothing":
        await (client.rpush if kind == "list" else client.set)("bull:q:broken", "x")

    recovered = {job.job_id: job.to for job in await scripts.recover(AT_ONCE)}

    assert recovered == {"before": "wait", "broken": "ghost", "behind": "wait"}
    assert await queue.ghosts() == ["broken"]
    assert await queue.clear_ghosts() == 1
    assert await queue.ghosts() == []


async def test_a_lock_that_is_no_string_does_not_keep_a_job_for_ever(
    scripts: Scripts, queue: Queue, client: Any
) -> None:
    job = await queue.add("x")
    await scripts.take(1, "a:1", 30_000, announce=False)
    await client.delete(f"bull:q:{job.id}:lock")
    await client.rpush(f"bull:q:{job.id}:lock", "a:1")

    assert [job.to for job in await scripts.recover(AT_ONCE)] == ["wait"]

    assert len(await scripts.take(1, "b:1", 30_000, announce=False)) == 1


@pytest.mark.parametrize("priority", ["nan", "-nan", "inf", "high", "", "-3", "1e400"])
async def test_a_delayed_job_with_a_broken_priority_waits_and_so_do_others(
    scripts: Scripts, queue: Queue, client: Any, priority: str
) -> None:
    await queue.add_many([NewJob("x", job_id=name, delay=0.001) for name in ("broken", "behind")])
    await client.hset("bull:q:broken", "priority", priority)
    await client.zadd("bull:q:delayed", {"broken": 1, "behind": 2})

    await scripts.promote("w", 10)

    assert sorted(job.id for job in await queue.jobs("wait")) == ["behind", "broken"]


async def test_a_delayed_id_that_is_no_job_is_set_aside_and_others_wait(
    scripts: Scripts, queue: Queue, client: Any
) -> None:
    await client.rpush("bull:q:list", "x")
    await queue.add("x", job_id="behind", delay=9)
    await client.zadd("bull:q:delayed", {"list": 1, "nothing": 2, "behind": 3})

    await scripts.promote("w", 10)

    assert [job.id for job in await queue.jobs("wait")] == ["behind"]
    assert sorted(await queue.ghosts()) == ["list", "nothing"]


@pytest.mark.parametrize("keep", FOREIGN_KEEPS)
async def test_workers_and_scripts_understand_a_foreign_wish_to_keep_alike(client: Any, keep: str) -> None:
    parts = files("holdfast.queue") / "lua/parts"
    script = "".join((parts / name).read_text() for name in ("peek.lua", "keep.lua"))
    script += "return keep_of(KEYS[1], 'removeOnFail')"
    await client.hset("job", "opts", f'{{"removeOnFail":{keep}}}')

    said = await client.eval(script, 1, "job")

    assert said == keep_to_script(json.loads(keep))
