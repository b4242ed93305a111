"""What the API says while Redis or PostgreSQL is away."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.embedded import PostgresServer, RedisServer
from holdfast.service import Service, open_service
from holdfast.settings import Settings


@pytest.fixture
async def mortal(own_redis: RedisServer, database_url: str, models_home: Path) -> AsyncIterator[Service]:
    """A service whose Redis may be killed."""
    settings = Settings(
        redis_url_given=own_redis.url, database_url=database_url, home=models_home, reconcile_seconds=0.2
    )
    async with open_service(settings) as opened:
        yield opened


@pytest.fixture
async def its_client(mortal: Service, opened_client: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with opened_client(mortal) as client:
        yield client


async def import_rows(client: httpx.AsyncClient, rows: Any) -> int:
    category_id = (await client.post("/categories", json={"name": "spring"})).json()["id"]
    await client.post(f"/categories/{category_id}/answers", json={"rows": rows})
    return int(category_id)


async def test_a_generation_asked_for_while_redis_is_away_is_kept_and_done_when_it_is_back(
    its_client: httpx.AsyncClient, mortal: Service, own_redis: RedisServer, worker_of: Any, sixty_rows: Any
) -> None:
    category_id = await import_rows(its_client, sixty_rows)
    own_redis.kill()

    async with asyncio.timeout(3.5):
        reply = await its_client.post("/codeframe/generate", json={"category_id": category_id, "n_clusters": 5})
        again = await its_client.post("/codeframe/generate", json={"category_id": category_id, "n_clusters": 5})
        generation_id = reply.json()["generation_id"]
        status = (await its_client.get(f"/codeframe/{generation_id}/status")).json()

    assert (reply.status_code, again.status_code) == (202, 202)
    assert again.json()["generation_id"] == generation_id
    assert (status["status"], status["progress"], status["n_answers"]) == ("queued", 0, 60)
    own_redis.start()
    async with worker_of(mortal), asyncio.timeout(60):
        await its_client.get(f"/codeframe/{generation_id}/events")
    done = (await its_client.get(f"/codeframe/{generation_id}/status")).json()
    assert (done["status"], done["n_completed"], done["error"]) == ("completed", 5, None)


async def test_the_status_stays_right_and_quick_when_redis_dies_while_clusters_are_labelled(
    mortal: Service, its_client: httpx.AsyncClient, own_redis: RedisServer, worker_of: Any, sixty_rows: Any
) -> None:
    category_id = await import_rows(its_client, sixty_rows)
    started = await its_client.post("/codeframe/generate", json={"category_id": category_id, "n_clusters": 5})
    path = f"/codeframe/{started.json()['generation_id']}/status"
    slow = replace(mortal, settings=mortal.settings.model_copy(update={"label_pace": 4.0}))

    async with worker_of(slow), asyncio.timeout(90):
        while (before := (await its_client.get(path)).json())["n_running"] == 0:
            assert before["error"] is None
        own_redis.kill()
        async with asyncio.timeout(3):
            away = (await its_client.get(path)).json()
        own_redis.start()
        events = await its_client.get(path.replace("status", "events"))

    assert (away["status"], away["phase"], away["n_clusters"]) == ("processing", "label", 5)
    assert away["n_completed"] + away["n_pending"] + away["n_failed"] == 5
    assert away["n_running"] <= away["n_pending"]
    assert away["progress"] >= before["progress"]
    assert '"status":"completed"' in events.text


async def test_ready_names_the_server_that_is_away(its_client: httpx.AsyncClient, own_redis: RedisServer) -> None:
    before = await its_client.get("/health/ready")
    own_redis.kill()

    away = await its_client.get("/health/ready")
    live = await its_client.get("/health/live")

    lines = {line["name"]: line["level"] for line in before.json()["lines"]}
    assert (before.status_code, before.json()["status"], lines["redis"], lines["postgresql"]) == (
        200,
        "ready",
        "ok",
        "ok",
    )
    assert (away.status_code, away.headers["content-type"]) == (503, "application/problem+json")
    assert [each["path"] for each in away.json()["errors"]] == ["redis"]
    assert "retry-after" in away.headers
    assert (live.status_code, live.json()) == (200, {"status": "live"})


async def test_the_queue_cannot_be_looked_at_while_redis_is_away(
    its_client: httpx.AsyncClient, own_redis: RedisServer
) -> None:
    own_redis.kill()

    reply = await its_client.get("/queue")

    assert reply.status_code == 503
    assert int(reply.headers["retry-after"]) >= 1


async def test_without_the_database_everything_that_needs_it_says_so(
    redis_url: str, own_folder: Path, models_home: Path, opened_client: Any
) -> None:
    postgres = PostgresServer(own_folder / "postgres")
    postgres.start()
    settings = Settings(redis_url_given=redis_url, database_url=postgres.url, home=models_home)
    async with open_service(settings) as service, opened_client(service) as client:
        await client.post("/categories", json={"name": "spring"})
        postgres.kill()

        category, ready = await asyncio.gather(client.get("/categories/1"), client.get("/health/ready"))
        postgres.start()
        back = await client.get("/categories/1")

    assert (category.status_code, "retry-after" in category.headers) == (503, True)
    assert (ready.status_code, [each["path"] for each in ready.json()["errors"]]) == (503, ["postgresql"])
    assert back.status_code == 200
    postgres.stop()
