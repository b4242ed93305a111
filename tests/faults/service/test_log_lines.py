"""What real processes say while workers freeze, calls fail and Redis is emptied and killed; and what they never say."""

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterable
from typing import Any

import httpx
import pytest
import redis as redis_client
from sqlalchemy import text
from tests.faults.service.paid import MODEL
from tests.faults.service.stack import Stack, until
from tests.faults.service.test_api_killed import answers, free_port

from holdfast.embedded import RedisServer
from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service
from holdfast.stub import StubProvider

# Every event that specs/durability.md promises, with the fields that each of its lines has.
LINES = {
    "queue initialized": {"prefix", "queue"},
    "processing job": {"id", "attempt", "resumed", "queue"},
    "job completed": {"id", "queue"},
    "job failed": {"id", "reason", "attempts_left", "queue"},
    "resuming pending jobs": {"count", "queue"},
    "redis connection lost": {"queue"},
    "retrying connection": {"attempt", "delay", "loading", "queue"},
    "redis reconnected": {"after", "queue"},
    "job stalled, taken over": {"id", "attempts_made", "queue"},
    "lock lost, result discarded": {"id", "reason", "queue"},
    "unit enqueued by the reconciler": {"job_id", "stage"},
}
ALWAYS = {"event", "level", "timestamp"}
API_KEY = "hush-hush-api-key"
ANSWER = "the zebra in ward nine sang"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", ["json", pytest.param("console", marks=pytest.mark.long)])
async def test_each_event_is_said_with_its_fields_and_no_answer_reply_key_or_password(
    form: str, paying: StubProvider, stack: Stack, service: Service, own_redis: RedisServer
) -> None:
    # The providers' SDKs at their wordiest: what they say of a request must not come through either.
    wordy = {"HOLDFAST_LOG": form, "ANTHROPIC_LOG": "debug", "OPENAI_LOG": "debug"}
    port = free_port()
    stack.start("serve", "--no-worker", "--port", str(port), HOLDFAST_API_KEYS=API_KEY, **wordy)
    await answers(port)
    await asked_for(port)
    await a_worker_freezes_and_calls_fail(paying, stack, service, wordy)
    await redis_is_emptied_and_killed(paying, service, own_redis)

    for process in stack.processes:
        process.terminate()
    codes = [await asyncio.to_thread(process.wait, 60) for process in stack.processes]

    assert codes == [0, 0, 0]
    said = {process: stack.log_of(process) for process in stack.processes}
    for_people = "Holdfast serves "  # what the API says on stdout is no log
    logs = [line for log in said.values() for line in log.splitlines() if not line.startswith(for_people)]
    (check_json if form == "json" else check_console)(logs)
    await check_silence("".join(said.values()), service, paying, stack)


async def asked_for(port: int) -> None:
    """A request with the key, one with a wrong one, and one that cannot be understood."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60) as client:
        headers = {"X-API-Key": API_KEY}
        replies = [
            await client.get("/queue", headers=headers),
            await client.get("/queue", headers={"X-API-Key": f"{API_KEY}x"}),
            await client.post("/categories/1/answers", json={"rows": [{"text": ANSWER, "x": 1}]}, headers=headers),
        ]
    assert [reply.status_code for reply in replies][:2] == [200, 401]


async def a_worker_freezes_and_calls_fail(
    paying: StubProvider, stack: Stack, service: Service, environment: dict[str, str]
) -> None:
    """A take-over, a lost lock, an attempt that is followed by another, and one that is not."""
    paying.hold()
    generation = await generation_of(service, "first")
    changed = environment | {"HOLDFAST_LOCK_SECONDS": "2"}
    frozen = stack.start("worker", "--concurrency", "1", **changed)
    await paying.waiting(1)
    frozen.send_signal(signal.SIGSTOP)
    stack.start("worker", "--concurrency", "1", **changed)
    await paying.waiting(2)
    paying.faults({"fault": "cut_body"}, {"fault": "wrong_schema", "times": 3})
    paying.release()
    await until(service, generation, lambda status: status.ended)
    frozen.send_signal(signal.SIGCONT)
    await says(stack, frozen, "lock lost, result discarded")
    paying.no_faults()


async def redis_is_emptied_and_killed(paying: StubProvider, service: Service, own_redis: RedisServer) -> None:
    """What Redis lost is put back, and its connections are made again."""
    paying.hold()
    generation = await generation_of(service, "second")
    await paying.waiting(2)  # both workers
    with redis_client.Redis.from_url(own_redis.url) as client:
        client.flushall()
    await asyncio.to_thread(own_redis.kill)
    paying.release()
    await asyncio.to_thread(own_redis.start)
    await until(service, generation, lambda status: status.ended)


async def generation_of(service: Service, name: str) -> Any:
    category = await service.imports.add_category(name=name)
    rows = [IncomingRow(text=f"{ANSWER} {name} {n} {('parking', 'food', 'staff', 'beds')[n % 4]}") for n in range(80)]
    await service.imports.import_rows(category.id, rows)
    request = GenerationRequest(category_id=category.id, config=GenerationConfig(n_clusters=4, model=MODEL))
    return (await service.generations.start(request)).generation.id


async def says(stack: Stack, process: subprocess.Popen[str], event: str) -> None:
    async with asyncio.timeout(60):
        while event not in stack.log_of(process):
            await asyncio.sleep(0.1)  # how often its log is read


def check_json(said: Iterable[str]) -> None:
    """Every line is JSON, and each event is there with exactly its fields, whichever process it happened in."""
    lines = [json.loads(line) for line in said]
    assert all(line.keys() >= ALWAYS for line in lines)
    for event, fields in LINES.items():
        found = [line for line in lines if line["event"] == event]
        assert found, event
        for line in found:
            assert line.keys() == fields | ALWAYS, line
    assert {line["attempts_left"] for line in lines if line["event"] == "job failed"} >= {0}
    resumed = [line for line in lines if line["event"] == "processing job" and line["resumed"]]
    assert resumed
    assert len([line for line in lines if line["event"] == "resuming pending jobs"]) >= 4  # two workers, start and back


def check_console(lines: list[str]) -> None:
    """Each event is there, in a line of its own with its fields."""
    for event, fields in LINES.items():
        found = [line for line in lines if f"] {event} " in line]
        assert found, event
        for line in found:
            assert not [name for name in fields if f" {name}=" not in line], line


async def check_silence(said: str, service: Service, paying: StubProvider, stack: Stack) -> None:
    """Nothing of what was asked, answered, or used to get in."""
    key = paying.environment()["ANTHROPIC_API_KEY"]
    passwords = [url.split("@")[0].rsplit(":", 1)[1] for url in (stack.redis.url, stack.database_url)]
    for secret in (ANSWER, "zebra", API_KEY, key, *passwords):
        assert secret not in said, secret
    sql = "SELECT reply::text FROM holdfast.calls WHERE reply IS NOT NULL"
    replies = (await service.database.run(lambda c: c.execute(text(sql)))).scalars().all()
    assert len(replies) >= 6
    written = {value for reply in replies for value in _texts(json.loads(reply)) if len(value) > 12 and " " in value}
    assert written
    assert not [value for value in written if value in said]


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
        if value.lstrip().startswith("{"):  # a reply's own JSON, as text
            try:
                yield from _texts(json.loads(value))
            except ValueError:
                return
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
