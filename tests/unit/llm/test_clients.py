"""The two clients on a wire in the process: one request a call, its answer or the right error."""

import asyncio
import logging
from collections.abc import AsyncIterator
from decimal import Decimal

import httpx2
import pytest
from tests.unit.llm.wire import CHAT, KEY, MESSAGE, PROVIDERS, REQUEST, Wire, client_on, cut_after

from holdfast.errors import ProviderAuth, ProviderBusy, ProviderFailed, ProviderQuota, ProviderUnclear
from holdfast.llm import Completion, Usage

both = pytest.mark.parametrize("provider", sorted(PROVIDERS))


def answer_of(provider: str) -> httpx2.Response:
    return httpx2.Response(200, json=PROVIDERS[provider], headers={"request-id": "req_1", "x-request-id": "req_1"})


@both
async def test_a_completion_comes_back_with_its_usage_split_without_overlap(provider: str) -> None:
    client = client_on(Wire(answer_of(provider)), provider)

    completion = await client.complete(REQUEST, within=5)

    assert completion == Completion(
        text='{"theme": "a"}',
        finish="stop",
        usage=Usage(
            input_tokens=100,
            output_tokens=20,
            cache_read_tokens=50,
            cache_write_tokens=7 if provider == "anthropic" else 0,
        ),
        model=str(PROVIDERS[provider]["model"]),
        request_id="req_1",
    )


async def test_anthropic_is_asked_for_json_of_the_schema() -> None:
    wire = Wire(answer_of("anthropic"))

    await client_on(wire, "anthropic", model="claude-x").complete(REQUEST, within=5)

    assert wire.asked[0].url == "http://provider.test/v1/messages"
    assert wire.body == {
        "model": "claude-x",
        "max_tokens": 200,
        "system": "Name the theme.",
        "messages": [{"role": "user", "content": "the answer of a person"}],
        "output_config": {
            "format": {
                "type": "json_schema",
                "schema": {
                    "type": "object",
                    "properties": {"theme": {"type": "string"}},
                    "required": ["theme"],
                    "additionalProperties": False,
                },
            }
        },
    }


async def test_openai_is_asked_for_json_of_the_schema() -> None:
    wire = Wire(answer_of("openai"))

    await client_on(wire, "openai", model="gpt-4o").complete(REQUEST, within=5)

    assert wire.asked[0].url == "http://provider.test/v1/chat/completions"
    body = wire.body
    response_format = body.pop("response_format")
    assert body == {
        "model": "gpt-4o",
        "max_completion_tokens": 200,
        "messages": [
            {"role": "system", "content": "Name the theme."},
            {"role": "user", "content": "the answer of a person"},
        ],
    }
    assert response_format["type"] == "json_schema"
    assert response_format["json_schema"]["name"] == "label"
    assert response_format["json_schema"]["strict"] is True
    assert response_format["json_schema"]["schema"]["additionalProperties"] is False


@both
@pytest.mark.parametrize("status", [400, 408, 409, 429, 500, 503, 529])
async def test_no_failure_is_tried_again_by_the_sdk(provider: str, status: int) -> None:
    wire = Wire(httpx2.Response(status, json={"error": {"type": "x", "message": KEY}}, headers={"retry-after": "0"}))

    with pytest.raises(Exception, match=f"HTTP {status}"):
        await client_on(wire, provider).complete(REQUEST, within=5)

    assert len(wire.asked) == 1


@both
async def test_a_busy_provider_says_when_to_come_back(provider: str) -> None:
    wire = Wire(httpx2.Response(429, json={"error": {"type": "rate_limit_error"}}, headers={"retry-after": "12"}))

    with pytest.raises(ProviderBusy) as caught:
        await client_on(wire, provider).complete(REQUEST, within=5)

    assert caught.value.retry_after == 12
    assert caught.value.cost == Decimal(0)


@both
@pytest.mark.parametrize(("status", "kind"), [(401, ProviderAuth), (402, ProviderQuota)])
async def test_a_wrong_key_and_a_used_up_account_are_told_apart(
    provider: str, status: int, kind: type[Exception]
) -> None:
    wire = Wire(httpx2.Response(status, json={"error": {"type": "x"}}))

    with pytest.raises(kind):
        await client_on(wire, provider).complete(REQUEST, within=5)


@both
@pytest.mark.parametrize(
    "error",
    [httpx2.ConnectError("refused"), httpx2.ConnectTimeout("too slow"), httpx2.PoolTimeout("none free")],
    ids=lambda error: type(error).__name__,
)
async def test_without_a_connection_nothing_was_billed(provider: str, error: Exception) -> None:
    def refuse(_: httpx2.Request) -> httpx2.Response:
        raise error

    with pytest.raises(ProviderFailed, match="nothing was sent") as caught:
        await client_on(Wire(refuse), provider).complete(REQUEST, within=5)

    assert caught.value.cost == 0


@both
@pytest.mark.parametrize(
    "error",
    [
        httpx2.ReadTimeout("slow"),
        httpx2.WriteTimeout("slow"),
        httpx2.ReadError("reset"),
        httpx2.WriteError("reset"),
        httpx2.RemoteProtocolError("server disconnected"),
        RuntimeError("whatever else"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_call_that_was_sent_and_not_answered_is_in_doubt(provider: str, error: Exception) -> None:
    def break_off(_: httpx2.Request) -> httpx2.Response:
        raise error

    with pytest.raises(ProviderUnclear) as caught:
        await client_on(Wire(break_off), provider).complete(REQUEST, within=5)

    assert caught.value.cost is None


@both
@pytest.mark.parametrize(
    "response",
    [
        httpx2.Response(200, text='{"id": "msg_1", "content": [{"type": "te'),
        httpx2.Response(200, text="<html>hello</html>", headers={"content-type": "text/html"}),
        httpx2.Response(200, json=["no", "object"]),
        httpx2.Response(200, json={"choices": [], "content": 3}),
        httpx2.Response(200, json={"error": {"message": "upstream failed"}}),
        httpx2.Response(200, text=""),
    ],
    ids=["truncated", "html", "array", "other shape", "error with 200", "empty"],
)
async def test_an_answer_that_cannot_be_read_is_in_doubt(provider: str, response: httpx2.Response) -> None:
    with pytest.raises(ProviderUnclear):
        await client_on(Wire(response), provider).complete(REQUEST, within=5)


@both
async def test_a_connection_cut_in_the_body_is_in_doubt(provider: str) -> None:
    wire = Wire(lambda _: httpx2.Response(200, content=cut_after(b'{"id": ')))

    with pytest.raises(ProviderUnclear):
        await client_on(wire, provider).complete(REQUEST, within=5)


@both
async def test_a_body_that_drips_for_ever_ends_at_the_deadline(provider: str) -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "  # each one is within any timeout for a single read
            await asyncio.sleep(0.005)

    wire = Wire(lambda _: httpx2.Response(200, content=drip()))

    with pytest.raises(ProviderUnclear, match=r"after 0\.1 s"):
        await client_on(wire, provider).complete(REQUEST, within=0.1)


@both
async def test_a_cancelled_call_is_cancelled(provider: str) -> None:
    asked = asyncio.Event()

    async def never(_: httpx2.Request) -> httpx2.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(client_on(Wire(never), provider).complete(REQUEST, within=60))
    await asked.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@both
async def test_neither_key_nor_text_is_shown_or_logged(provider: str, caplog: pytest.LogCaptureFixture) -> None:
    text = f"{KEY} {REQUEST.user}"
    wire = Wire(httpx2.Response(400, json={"error": {"type": "invalid_request_error", "message": text}}))
    with caplog.at_level(logging.DEBUG):
        client = client_on(wire, provider)

        with pytest.raises(Exception, match="HTTP 400") as caught:
            await client.complete(REQUEST, within=5)

    sent = wire.asked[0].headers
    assert KEY in (sent.get("x-api-key") or sent["authorization"])
    for shown in (repr(client), repr(caught.value), caplog.text):
        assert KEY not in shown
        assert REQUEST.user not in shown
    assert caught.value.__suppress_context__  # a printed traceback would quote the provider


async def test_usage_that_a_server_does_not_report_is_counted_here() -> None:
    chat = {**CHAT, "usage": None}

    completion = await client_on(Wire(httpx2.Response(200, json=chat)), "openai").complete(REQUEST, within=5)

    assert completion.usage.input_tokens > 64
    assert completion.usage.output_tokens >= 5


async def test_a_message_without_usage_is_in_doubt() -> None:
    message = {name: value for name, value in MESSAGE.items() if name != "usage"}

    with pytest.raises(ProviderUnclear):
        await client_on(Wire(httpx2.Response(200, json=message)), "anthropic").complete(REQUEST, within=5)
