"""Every way a provider can fail comes out as the right error, with what it cost and without a word of the request."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from holdfast.errors import (
    ProviderAuth,
    ProviderBusy,
    ProviderError,
    ProviderFailed,
    ProviderQuota,
    ProviderRejected,
    ProviderUnclear,
)
from holdfast.llm.failures import classify, retry_after, unbilled

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


def anthropic(kind: str, message: str = "") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


def openai(kind: str | None, code: str | int | None = None, message: str = "") -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": message}}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, anthropic("invalid_request_error"), ProviderRejected),
        (400, anthropic("invalid_request_error", "Your credit balance is too low to access the API"), ProviderQuota),
        (400, openai("invalid_request_error", "context_length_exceeded"), ProviderRejected),
        (400, openai("BadRequestError", 400), ProviderRejected),
        (401, anthropic("authentication_error"), ProviderAuth),
        (401, openai("invalid_request_error", "invalid_api_key"), ProviderAuth),
        (402, anthropic("billing_error"), ProviderQuota),
        (402, None, ProviderQuota),
        (403, anthropic("permission_error"), ProviderAuth),
        (404, openai("invalid_request_error", "model_not_found"), ProviderRejected),
        (408, None, ProviderFailed),
        (409, None, ProviderFailed),
        (413, anthropic("request_too_large"), ProviderRejected),
        (422, openai("unprocessable"), ProviderRejected),
        (429, anthropic("rate_limit_error"), ProviderBusy),
        (429, openai("tokens", "rate_limit_exceeded"), ProviderBusy),
        (429, openai("insufficient_quota", "insufficient_quota"), ProviderQuota),
        (429, None, ProviderBusy),
        (500, anthropic("api_error"), ProviderFailed),
        (502, "<html>Bad gateway</html>", ProviderFailed),
        (503, openai("server_error"), ProviderBusy),
        (504, anthropic("timeout_error"), ProviderUnclear),
        (524, None, ProviderUnclear),
        (529, anthropic("overloaded_error"), ProviderBusy),
        (500, anthropic("overloaded_error"), ProviderBusy),
        (302, None, ProviderRejected),
        (418, ["not", "an", "object"], ProviderRejected),
        (400, {"error": "a text"}, ProviderRejected),
    ],
)
def test_a_status_and_its_body_are_told_apart(status: int, body: Any, expected: type[ProviderError]) -> None:
    error = classify("Anthropic", status=status, body=body)

    assert type(error) is expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("invalid_request_error", ProviderRejected),
        ("authentication_error", ProviderAuth),
        ("billing_error", ProviderQuota),
        ("rate_limit_error", ProviderBusy),
        ("overloaded_error", ProviderBusy),
        ("api_error", ProviderFailed),
        ("timeout_error", ProviderFailed),
        ("never_heard_of", ProviderFailed),
    ],
)
def test_a_result_without_a_status_is_told_by_its_type_and_cost_nothing(
    kind: str, expected: type[ProviderError]
) -> None:
    error = unbilled(classify("Anthropic", status=None, body=anthropic(kind)))

    assert type(error) is expected
    assert error.cost == Decimal(0)


def test_only_what_is_unclear_may_have_cost_something() -> None:
    costs = {status: classify("OpenAI", status=status, body=None).cost for status in (400, 401, 402, 429, 500, 504)}

    assert costs == {400: 0, 401: 0, 402: 0, 429: 0, 500: 0, 504: None}


def test_an_error_names_status_type_code_and_parameter_and_never_the_provider_s_text() -> None:
    body = {"error": {"type": "invalid_request_error", "code": "bad value: my secret answer", "param": "temperature"}}
    body["error"]["message"] = "my secret answer is too long"

    error = classify("OpenAI", status=400, body=body)

    assert str(error) == ("OpenAI refuses the request as it is (HTTP 400, invalid_request_error, about temperature)")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Wed, 25 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 25 Nov 2026 11:59:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "later", "retry-after": "9"}, 9.0),
    ],
)
def test_retry_after_is_read_in_seconds_as_a_date_and_in_milliseconds(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, now=NOW) == seconds
