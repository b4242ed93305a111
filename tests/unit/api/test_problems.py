"""Every error is a problem that says what to do, and none shows what is inside."""

from typing import Any

import pytest
import structlog

from holdfast.errors import (
    BadInput,
    Conflict,
    HoldfastError,
    NotConfigured,
    NotFound,
    Problem,
    QueueUnavailable,
    Unavailable,
)

CATEGORY = "/api/v1/categories/1"


def check_problem(reply: Any, status: int) -> dict[str, Any]:
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = reply.json()
    assert set(body) == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    assert body["type"].startswith("urn:holdfast:problem:")
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput("no"), 422),
        (NotConfigured("no"), 422),
        (NotFound(kind="category", id=1), 404),
        (Conflict("no"), 409),
        (Unavailable("no"), 503),
        (QueueUnavailable("no"), 503),
    ],
)
async def test_each_of_our_errors_has_its_status_and_keeps_its_words(
    ask: Any, error: HoldfastError, status: int
) -> None:
    async with ask(error) as client:
        reply = await client.get(CATEGORY)

    assert check_problem(reply, status)["detail"] == str(error)


async def test_the_places_of_bad_input_are_listed(ask: Any) -> None:
    problems = [Problem(path="body.a", message="is wrong"), Problem(path="body.b", message="is too")]
    async with ask(BadInput("two things", problems=problems)) as client:
        reply = await client.get(CATEGORY)

    assert check_problem(reply, 422)["errors"] == [
        {"path": "body.a", "message": "is wrong"},
        {"path": "body.b", "message": "is too"},
    ]


@pytest.mark.parametrize(
    ("error", "seconds"), [(Unavailable("away", retry_after=7), "7"), (QueueUnavailable("away"), "2")]
)
async def test_a_server_that_is_away_says_when_to_come_back(ask: Any, error: HoldfastError, seconds: str) -> None:
    async with ask(error) as client:
        reply = await client.get(CATEGORY)

    assert reply.headers["retry-after"] == seconds


async def test_a_surprise_is_logged_and_shows_nothing(ask: Any) -> None:
    async with ask(RuntimeError("the secret")) as client:
        with structlog.testing.capture_logs() as logs:
            reply = await client.get(CATEGORY)

    check_problem(reply, 500)
    assert "secret" not in reply.text
    (line,) = logs
    assert (line["event"], line["method"], line["path"]) == ("request failed", "GET", CATEGORY)
    assert line["error"] == "RuntimeError"
    assert line["trace"][-1].endswith("use_case")
    assert "secret" not in str(line)


async def test_an_error_of_ours_that_has_no_status_is_a_surprise(ask: Any) -> None:
    async with ask(HoldfastError("inside")) as client:
        reply = await client.get(CATEGORY)

    check_problem(reply, 500)
    assert "inside" not in reply.text


async def test_an_unknown_path_is_a_problem(ask: Any) -> None:
    async with ask() as client:
        reply = await client.get("/api/v1/nothing")

    assert check_problem(reply, 404)["detail"] == "there is no GET /api/v1/nothing; see /docs"


async def test_a_method_that_is_not_there_is_a_problem_that_names_the_others(ask: Any) -> None:
    async with ask() as client:
        reply = await client.delete("/api/v1/queue")

    check_problem(reply, 405)
    assert reply.headers["allow"] == "GET"


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b"[" * 100_000, b'{"name": 1' + b"0" * 5000 + b"}"])
async def test_malformed_json_is_the_client_s_mistake(ask: Any, body: bytes) -> None:
    async with ask() as client:
        reply = await client.post("/api/v1/categories", content=body, headers={"content-type": "application/json"})

    check_problem(reply, 422 if body == b"" else 400)


async def test_fields_that_are_wrong_are_listed_with_their_paths(ask: Any) -> None:
    body = {"n_clusters": 1, "config": {"min_samples": 99, "colour": "red"}, "answer_ids": [1, "two"]}
    async with ask() as client:
        reply = await client.post("/api/v1/codeframe/generate", json=body)

    errors = {each["path"]: each["message"] for each in check_problem(reply, 422)["errors"]}
    assert errors["body.category_id"] == "is required"
    assert errors["body.n_clusters"] == "must be greater than or equal to 2"
    assert errors["body.config.min_samples"] == "must be less than or equal to 20"
    assert errors["body.config.colour"] == "is not a field of this body"
    assert "body.answer_ids.1" in errors


async def test_a_field_s_name_that_is_no_text_does_not_break_the_problem(ask: Any) -> None:
    body = b'{"name": "n", "\\ud800": 1}'
    async with ask() as client:
        reply = await client.post("/api/v1/categories", content=body, headers={"content-type": "application/json"})

    check_problem(reply, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/codeframe/not-a-uuid/status",
        "/api/v1/categories/0",
        "/api/v1/categories/9223372036854775808",
        "/api/v1/categories?cursor=-1",
        "/api/v1/categories?cursor=9223372036854775808",
        "/api/v1/categories?limit=0",
        "/api/v1/categories?limit=1001",
        "/api/v1/categories/1/answers?search=%00",
    ],
)
async def test_ids_and_pages_that_cannot_be_are_refused(ask: Any, path: str) -> None:
    async with ask() as client:
        reply = await client.get(path)

    assert check_problem(reply, 422)["errors"]


@pytest.mark.parametrize("key", ["", "x" * 201, "with blank"])
async def test_an_idempotency_key_that_cannot_be_is_refused(ask: Any, key: str) -> None:
    async with ask() as client:
        reply = await client.post(
            "/api/v1/codeframe/generate", json={"category_id": 1}, headers={"Idempotency-Key": key}
        )

    assert check_problem(reply, 422)["errors"][0]["path"] == "header.Idempotency-Key"


@pytest.mark.parametrize(
    "body",
    [
        {"category_id": 2**63},
        {"category_id": True},
        {"category_id": 1, "config": {"existing_codes": ["a\0b"]}},
        {"category_id": 1, "config": {"model": "\0"}},
        {"category_id": 1, "config": {"seed": -1}},
        {"category_id": 1, "config": {"budget_usd": "-1"}},
        {"category_id": 1, "config": {"target_language": "english"}},
        {"category_id": 1, "target_language": "de", "config": {"target_language": "en"}},
    ],
)
async def test_what_could_not_be_kept_is_refused(ask: Any, body: dict[str, Any]) -> None:
    async with ask() as client:
        reply = await client.post("/api/v1/codeframe/generate", json=body)

    assert check_problem(reply, 422)["errors"]
