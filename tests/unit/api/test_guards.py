"""Who may come in, and with what in the hand."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from holdfast.api.guards import is_loopback
from holdfast.errors import NotConfigured

EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound, it is what a setting says
QUEUE, LIVE = "/api/v1/categories/1", "/api/v1/health/live"
FORM = "multipart/form-data; boundary=x"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:3001", "127.0.0.1:80", "[::1]", "[::1]:3001"])
async def test_a_loopback_server_goes_by_the_names_of_localhost(ask: Any, host: str) -> None:
    async with ask() as client:
        reply = await client.get(LIVE, headers={"Host": host})

    assert reply.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "testserver", "127.0.0.1.evil.example:80"])
async def test_a_loopback_server_answers_to_no_other_name(ask: Any, host: str) -> None:
    async with ask() as client:
        reply = await client.get(LIVE, headers={"Host": host})

    assert reply.status_code == 403
    assert reply.headers["content-type"] == "application/problem+json"


async def test_a_proxy_s_name_can_be_made_known(ask: Any) -> None:
    async with ask(hosts=("codes.example",), url="https://codes.example") as client:
        reply = await client.get(LIVE)

    assert reply.status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_page_of_another_site_changes_nothing(ask: Any, headers: dict[str, str]) -> None:
    async with ask() as client:
        reply = await client.post("/api/v1/codeframe/c0ffee00-0000-4000-8000-000000000000/cancel", headers=headers)

    assert reply.status_code == 403


async def test_a_page_of_this_server_may_write(ask: Any) -> None:
    async with ask(KeyError()) as client:
        reply = await client.post(
            "/api/v1/codeframe/c0ffee00-0000-4000-8000-000000000000/cancel",
            headers={"Origin": "http://127.0.0.1:3001", "Sec-Fetch-Site": "same-origin"},
        )

    assert reply.status_code == 500  # it came as far as the service


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic one"},
        {"Authorization": "Bearer"},
        {"X-API-Key": ""},
        {"X-API-Key": "on"},
    ],
)
async def test_with_keys_nobody_comes_in_without_one(ask: Any, headers: dict[str, str]) -> None:
    async with ask(KeyError(), api_keys=("one", "two")) as client:
        reply = await client.get(QUEUE, headers=headers)

    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer one"}, {"Authorization": "bearer two"}, {"X-API-Key": "two"}]
)
async def test_each_key_lets_in(ask: Any, headers: dict[str, str]) -> None:
    async with ask(KeyError(), api_keys=("one", "two")) as client:
        reply = await client.get(QUEUE, headers=headers)

    assert reply.status_code == 500  # it came as far as the service


@pytest.mark.parametrize("path", ["/api/v1/health/live", "/openapi.json", "/docs"])
async def test_health_and_docs_need_no_key(ask: Any, path: str) -> None:
    async with ask(api_keys=("one",)) as client:
        reply = await client.get(path)

    assert reply.status_code == 200


async def test_no_other_site_may_read(ask: Any) -> None:
    async with ask() as client:
        reply = await client.get(LIVE, headers={"Origin": "http://evil.example"})

    assert "access-control-allow-origin" not in reply.headers


async def test_a_bind_that_others_reach_is_refused_without_keys(ask: Any) -> None:
    for host in (EVERYWHERE, "::", "192.168.1.7", "example.org", ""):
        with pytest.raises(NotConfigured, match="HOLDFAST_API_KEYS"):
            async with ask(host=host):
                pass


async def test_a_bind_that_others_reach_goes_by_any_name(ask: Any) -> None:
    async with ask(host=EVERYWHERE, api_keys=("one",), url="http://codes.example") as client:
        reply = await client.get(LIVE)

    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        (EVERYWHERE, False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/api/v1/categories", "text/plain", 415),
        ("/api/v1/categories", FORM, 415),
        ("/api/v1/codeframe/generate", "application/x-www-form-urlencoded", 415),
        ("/api/v1/categories/1/answers", "text/csv", 415),
        ("/api/v1/categories/1/answers", FORM, 400),  # let in, and found to be no form
        ("/api/v1/categories", "application/json; charset=utf-8", 422),
    ],
)
async def test_bodies_of_other_types_are_refused(ask: Any, path: str, kind: str, status: int) -> None:
    async with ask() as client:
        reply = await client.post(path, content=b"{}", headers={"content-type": kind})

    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"


async def test_a_body_that_says_it_is_too_long_is_refused_unread(ask: Any) -> None:
    async with ask() as client:
        reply = await client.post(
            "/api/v1/categories",
            content=b"{}",
            headers={"content-type": "application/json", "content-length": "1000001"},
        )

    assert reply.status_code == 413
    assert "1 MB" in reply.json()["detail"]


async def test_a_body_that_does_not_say_how_long_it_is_is_cut_off(ask: Any) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 100_000
            yield b" " * 100_000
            await asyncio.sleep(0)

    async with ask() as client:
        reply = await client.post("/api/v1/categories", content=endless(), headers={"content-type": "application/json"})

    assert reply.status_code == 413
    assert reply.headers["content-type"] == "application/problem+json"
    assert read <= 1_200_000


@pytest.mark.parametrize(
    ("path", "kind", "most"),
    [
        ("/api/v1/categories/1/answers", "application/json", 50_000_000),
        ("/api/v1/categories/1/answers", FORM, 201_000_000),
        ("/api/v1/codeframe/generate", "application/json", 12_000_000),
        ("/api/v1/codeframe/estimate", "application/json", 12_000_000),
    ],
)
async def test_each_path_takes_what_it_needs(ask: Any, path: str, kind: str, most: int) -> None:
    async with ask() as client:
        fits, does_not = [
            await client.post(path, content=b"{", headers={"content-type": kind, "content-length": str(length)})
            for length in (most, most + 1)
        ]

    assert fits.status_code != 413
    assert does_not.status_code == 413
