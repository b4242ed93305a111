"""`GET /health/ready`: the checklist over HTTP, to those who have a key."""

from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
import redis

from holdfast.doctor import NAMES
from holdfast.embedded import PostgresServer, RedisServer
from holdfast.service import Service, open_service
from holdfast.settings import Settings

KEY = {"X-API-Key": "let me in"}


@pytest.fixture
async def locked(own_redis: RedisServer, database_url: str, models_home: Path) -> AsyncIterator[Service]:
    """A service with a key, whose Redis may be killed."""
    settings = Settings(
        redis_url_given=own_redis.url, database_url=database_url, home=models_home, api_keys=("let me in",)
    )
    async with open_service(settings) as opened:
        yield opened


@pytest.fixture
async def stranger(locked: Service, opened_client: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with opened_client(locked) as client:
        yield client


async def test_ready_is_the_doctor_s_checklist(client: httpx.AsyncClient) -> None:
    reply = await client.get("/health/ready")

    body = reply.json()
    assert (reply.status_code, body["status"], body["level"]) == (200, "ready", "warn")
    assert [line["name"] for line in body["lines"]] == [name for name in NAMES if name != "disk"]
    assert all(line["figure"] for line in body["lines"])
    assert all((line["fix"] is None) == (line["level"] == "ok") for line in body["lines"])


async def test_what_is_set_up_badly_and_works_is_no_503(locked: Service, stranger: httpx.AsyncClient) -> None:
    with redis.Redis.from_url(locked.redis_url) as client:
        client.config_set("appendonly", "no")

    reply = await stranger.get("/health/ready", headers=KEY)

    lines = {line["name"]: line["level"] for line in reply.json()["lines"]}
    assert (reply.status_code, reply.json()["level"], lines["redis persistence"]) == (200, "fail", "fail")


async def test_without_a_key_there_are_levels_and_no_figures(stranger: httpx.AsyncClient) -> None:
    without = await stranger.get("/health/ready")
    with_key = await stranger.get("/health/ready", headers=KEY)

    assert (without.status_code, with_key.status_code) == (200, 200)
    assert {(line["figure"], line["fix"]) for line in without.json()["lines"]} == {(None, None)}
    assert [line["level"] for line in without.json()["lines"]] == [line["level"] for line in with_key.json()["lines"]]
    assert all(line["figure"] for line in with_key.json()["lines"])


async def test_a_503_names_the_server_to_all_and_where_it_is_to_those_with_a_key(
    stranger: httpx.AsyncClient, own_redis: RedisServer
) -> None:
    await stranger.get("/health/ready")
    port = own_redis.url.split(":")[-1].split("/")[0]
    password = own_redis.url.split(":")[2].split("@")[0]
    own_redis.kill()

    began = monotonic()
    without = await stranger.get("/health/ready")
    took = monotonic() - began
    with_key = await stranger.get("/health/ready", headers=KEY)

    assert (without.status_code, with_key.status_code) == (503, 503)
    assert [(each["path"], each["message"]) for each in without.json()["errors"]] == [("redis", "fails")]
    assert port not in without.text
    assert f"redis-cli -h 127.0.0.1 -p {port} ping" in with_key.text
    assert password not in without.text + with_key.text
    assert took < 12


async def test_it_is_ready_again_seconds_after_the_server_is_back(
    stranger: httpx.AsyncClient, own_redis: RedisServer
) -> None:
    own_redis.kill()
    away = await stranger.get("/health/ready")
    own_redis.start()
    began = monotonic()

    while (await stranger.get("/health/ready")).status_code == 503:
        assert monotonic() - began < 15

    assert away.status_code == 503


async def test_a_probe_soon_after_another_costs_a_round_trip(client: httpx.AsyncClient) -> None:
    first = await client.get("/health/ready")

    again = await client.get("/health/ready")

    def figure(reply: httpx.Response) -> str:
        return str(next(line["figure"] for line in reply.json()["lines"] if line["name"] == "redis latency"))

    assert figure(first) == figure(again)  # not measured anew


async def test_a_postgresql_that_was_stopped_is_no_reason_to_wait_long(
    redis_url: str, own_folder: Path, models_home: Path, opened_client: Any
) -> None:
    postgres = PostgresServer(own_folder / "postgres")
    postgres.start()
    settings = Settings(redis_url_given=redis_url, database_url=postgres.url, home=models_home)
    async with open_service(settings) as service, opened_client(service) as client:
        assert (await client.get("/health/ready")).status_code == 200
        postgres.stop()
        began = monotonic()
        reply = await client.get("/health/ready")

        assert monotonic() - began < 12
        assert [each["path"] for each in reply.json()["errors"]] == ["postgresql"]
        assert postgres.url.split("@")[0].rsplit(":", 1)[1] not in reply.text
