"""What the queue says of what happens: each event with its fields, and never data, a result or a password."""

import asyncio
import signal
from typing import Any

import redis.asyncio
import structlog

from holdfast.queue import Job, Queue

LINES = {
    "queue initialized": {"prefix"},
    "resuming pending jobs": {"count"},
    "processing job": {"id", "attempt", "resumed"},
    "job completed": {"id"},
    "job failed": {"id", "reason", "attempts_left"},
    "job stalled, taken over": {"id", "attempts_made"},
    "lock lost, result discarded": {"id", "reason"},
    "redis connection lost": set(),
    "retrying connection": {"attempt", "delay", "loading"},
    "redis reconnected": {"after"},
}
NO_LINES = ("secret answer", "secret result")


async def test_each_event_is_said_with_its_fields_and_without_data_results_or_passwords(
    own_redis: Any, child: Any, working: Any, counted: Any
) -> None:
    password = own_redis.url.split("@")[0].rsplit(":", 1)[1]
    assert password
    stolen = asyncio.Event()

    async def work(job: Job) -> str:
        if job.data["do"] == "fail":
            raise ValueError("the reason")
        if job.data["do"] == "be robbed":
            stolen.set()
            await asyncio.Event().wait()
        return "secret result"

    def task(what: str) -> dict[str, str]:
        return {"do": what, "text": "secret answer"}

    with structlog.testing.capture_logs() as said:
        async with Queue("q", url=own_redis.url) as queue:
            lost = await queue.add("x", task("be taken over"))
            victim = await child(own_redis.url, "forever", presence_ttl=1)
            await victim.says("begun")
            victim.signal(signal.SIGKILL)
            async with working(queue, {"x": work}, lock_duration=0.6):
                await counted(queue, completed=1)
                await queue.add("x", task("fail"), attempts=2)
                await counted(queue, completed=1, failed=1)
                robbed = await queue.add("x", task("be robbed"))
                await stolen.wait()
                await rob(queue, robbed)
                await heard(said, "lock lost, result discarded")
                await asyncio.to_thread(own_redis.kill)
                await heard(said, "retrying connection")
                await asyncio.to_thread(own_redis.start)
                await heard(said, "redis reconnected", 2)  # the worker, and the test's own queue

    for event, fields in LINES.items():
        heard_so = [line for line in said if line["event"] == event]
        assert heard_so, event
        for line in heard_so:
            assert line.keys() - {"event", "log_level"} == fields | {"queue"}, line
    by_event = {line["event"]: line for line in said}
    assert by_event["job stalled, taken over"]["id"] == lost.id
    assert by_event["lock lost, result discarded"]["id"] == robbed.id
    failures = [(line["reason"], line["attempts_left"]) for line in said if line["event"] == "job failed"]
    assert failures == [("the reason", 1), ("the reason", 0)]
    resumed = {line["id"]: line["resumed"] for line in said if line["event"] == "processing job"}
    assert (resumed[lost.id], resumed[robbed.id]) == (True, False)
    everything = repr(said)
    assert not [secret for secret in (*NO_LINES, password) if secret in everything]


async def rob(queue: Queue, job: Job) -> None:
    """Put another's lock on a running job, as after a take-over."""
    async with redis.asyncio.Redis.from_url(queue.url) as client:
        await client.set(queue.keys.lock(job.id), "another's token", px=600_000)


async def heard(said: Any, event: str, count: int = 1) -> None:
    async with asyncio.timeout(40):
        while len([line for line in said if line["event"] == event]) < count:
            await asyncio.sleep(0.02)
