"""A model of OpenAI's, or of any server that speaks its Chat Completions."""

from collections.abc import Sequence
from typing import Any

from holdfast.llm.chats import chat_params, completion_of
from holdfast.llm.embeddings import embedded_of, embedding_params
from holdfast.llm.failures import answered
from holdfast.llm.keys import Account
from holdfast.llm.openai_batches import OpenAIBatches
from holdfast.llm.sdk import connect_seconds, json_object, load
from holdfast.llm.values import Completion, Embedded, Request

_NAME = "OpenAI"


class OpenAIClient:
    """One model behind OpenAI's Chat Completions."""

    def __init__(self, name: str, account: Account, *, http_client: Any = None) -> None:
        openai = load("openai")
        self._name = name
        self._own_host = account.own_host
        self._timeout = openai.Timeout
        self._sdk = openai.AsyncOpenAI(
            api_key=account.key,
            base_url=account.url,
            max_retries=0,  # the queue alone makes a call again: each one is journaled
            http_client=http_client,
        )
        self.model = f"openai:{name}"
        self.credential = account.credential
        self.batches = OpenAIBatches(self._sdk, model=name, own_host=account.own_host)

    async def complete(self, request: Request, *, within: float) -> Completion:
        timeout = self._timeout(within, connect=connect_seconds(within))
        create = self._sdk.chat.completions.with_raw_response.create
        params = chat_params(request, model=self._name, own_host=self._own_host)
        raw = await answered(create(**params, timeout=timeout), provider=_NAME, within=within)
        body = json_object(raw.http_response.text, provider=_NAME)
        return completion_of(body, request_id=raw.headers.get("x-request-id"), request=request)

    async def embed(self, texts: Sequence[str], *, within: float, dimensions: int | None = None) -> Embedded:
        timeout = self._timeout(within, connect=connect_seconds(within))
        create = self._sdk.embeddings.with_raw_response.create
        params = embedding_params(texts, model=self._name, dimensions=dimensions)
        raw = await answered(create(**params, timeout=timeout), provider=_NAME, within=within)
        return embedded_of(json_object(raw.http_response.text, provider=_NAME), texts)

    async def close(self) -> None:
        await self._sdk.close()
