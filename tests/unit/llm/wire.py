"""A provider's side of the wire, in the process: what it was asked, and what it answers."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2

from holdfast.llm.anthropic import AnthropicClient
from holdfast.llm.keys import Account
from holdfast.llm.openai import OpenAIClient
from holdfast.llm.values import Request

KEY = "sk-the-key-that-pays"
REQUEST = Request(
    system="Name the theme.",
    user="the answer of a person",
    schema={"type": "object", "properties": {"theme": {"type": "string", "maxLength": 60}}, "required": ["theme"]},
    schema_name="label",
    max_tokens=200,
)
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x-20260101",
    "content": [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": '{"theme":'},
        {"type": "text", "text": ' "a"}'},
    ],
    "stop_reason": "end_turn",
    "usage": {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_creation_input_tokens": 7,
        "cache_read_input_tokens": 50,
    },
}
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-x-2026-01-01",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": '{"theme": "a"}', "refusal": None},
        }
    ],
    "usage": {
        "prompt_tokens": 150,
        "completion_tokens": 20,
        "total_tokens": 170,
        "prompt_tokens_details": {"cached_tokens": 50},
    },
}
PROVIDERS = {"anthropic": MESSAGE, "openai": CHAT}

Answer = Callable[[httpx2.Request], Awaitable[httpx2.Response] | httpx2.Response]


class Wire:
    """Answers every request with `answer`, and keeps what it was asked."""

    def __init__(self, answer: Answer | httpx2.Response) -> None:
        self.asked: list[httpx2.Request] = []
        self._answer = answer
        self.http_client = httpx2.AsyncClient(transport=httpx2.MockTransport(self._handle))

    async def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = self._answer(request) if callable(self._answer) else self._answer
        return answer if isinstance(answer, httpx2.Response) else await answer

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body of the last request."""
        body = json.loads(self.asked[-1].content)
        assert isinstance(body, dict)
        return body


def client_on(
    wire: Wire, provider: str, *, model: str = "some-model", own_host: bool = False
) -> AnthropicClient | OpenAIClient:
    """A client of this provider whose connections end in the wire."""
    if provider == "anthropic":
        account = Account(provider="Anthropic", url="http://provider.test", key=KEY, own_host=own_host)
        return AnthropicClient(model, account, http_client=wire.http_client)
    account = Account(provider="OpenAI", url="http://provider.test/v1", key=KEY, own_host=own_host)
    return OpenAIClient(model, account, http_client=wire.http_client)


async def cut_after(part: bytes) -> AsyncIterator[bytes]:
    """A body whose connection ends before it does."""
    yield part
    raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")
