"""A model of Anthropic's."""

from collections.abc import Sequence
from typing import Any

from holdfast.errors import NotConfigured
from holdfast.llm.anthropic_batches import AnthropicBatches
from holdfast.llm.failures import answered
from holdfast.llm.keys import Account
from holdfast.llm.messages import completion_of, message_params
from holdfast.llm.sdk import connect_seconds, json_object, load
from holdfast.llm.values import Completion, Embedded, Request

_NAME = "Anthropic"


class AnthropicClient:
    """One model behind Anthropic's Messages."""

    def __init__(self, name: str, account: Account, *, http_client: Any = None) -> None:
        anthropic = load("anthropic")
        self._name = name
        self._timeout = anthropic.Timeout
        self._sdk = anthropic.AsyncAnthropic(
            api_key=account.key,
            base_url=account.url,
            max_retries=0,  # the queue alone makes a call again: each one is journaled
            http_client=http_client,
        )
        self.model = f"anthropic:{name}"
        self.credential = account.credential
        self.batches = AnthropicBatches(self._sdk, model=name)

    async def complete(self, request: Request, *, within: float) -> Completion:
        timeout = self._timeout(within, connect=connect_seconds(within))
        create = self._sdk.messages.with_raw_response.create
        params = message_params(request, model=self._name)
        raw = await answered(create(**params, timeout=timeout), provider=_NAME, within=within)
        body = json_object(raw.http_response.text, provider=_NAME)
        return completion_of(body, request_id=raw.headers.get("request-id"))

    async def embed(self, texts: Sequence[str], *, within: float, dimensions: int | None = None) -> Embedded:
        raise NotConfigured(f"Anthropic has no embeddings: {self.model} cannot be HOLDFAST_EMBEDDER")

    async def close(self) -> None:
        await self._sdk.close()
