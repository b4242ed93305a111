"""Anthropic's Message Batches. They carry no mark of ours but the custom ids, which show once a batch has ended."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from holdfast.clock import Clock, SystemClock
from holdfast.errors import ProviderError, ProviderFailed, ProviderUnclear
from holdfast.llm.batches import (
    CLOCK_SKEW,
    SETTLED,
    BatchLook,
    Found,
    NotThere,
    Search,
    Unsure,
    custom_id,
    split_custom_id,
)
from holdfast.llm.failures import answered, classify, free, unbilled
from holdfast.llm.messages import completion_of, message_params
from holdfast.llm.sdk import json_object
from holdfast.llm.values import Completion, Request

_NAME = "Anthropic"
_SUBMIT_SECONDS = 300.0  # up to 256 MB on their way
_ASK_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 30.0
_PAGE = 100


class AnthropicBatches:
    """Message Batches of one model."""

    def __init__(self, sdk: Any, *, model: str, clock: Clock | None = None) -> None:
        self._batches = sdk.messages.batches
        self._model = model
        self._clock = clock or SystemClock()

    async def submit(self, requests: Mapping[str, Request], *, mark: str) -> str:
        entries = [
            {"custom_id": custom_id(mark, name), "params": message_params(request, model=self._model)}
            for name, request in requests.items()
        ]
        create = self._batches.with_raw_response.create
        raw = await answered(create(requests=entries, timeout=_SUBMIT_SECONDS), provider=_NAME, within=_SUBMIT_SECONDS)
        batch_id = json_object(raw.http_response.text, provider=_NAME).get("id")
        if not isinstance(batch_id, str):
            raise ProviderUnclear("Anthropic's reply is no batch")
        return batch_id

    async def find(self, mark: str, *, n_requests: int, since: datetime, known: Collection[str] = ()) -> Search:
        running = False
        async for batch in self._made_since(since - CLOCK_SKEW):
            if batch["id"] in known or sum(batch["request_counts"].values()) != n_requests:
                continue
            if batch["processing_status"] != "ended":
                running = True
            elif await self._has_mark(batch["id"], mark):
                return Found(batch_id=batch["id"])
        if running:
            return Unsure(look_again_in=_LOOK_AGAIN_SECONDS)
        young = (SETTLED - (self._clock.now() - since)).total_seconds()
        return Unsure(look_again_in=young) if young > 0 else NotThere()

    async def look(self, batch_id: str) -> BatchLook:
        batch = await self._ask(self._batches.with_raw_response.retrieve, batch_id)
        counts = batch["request_counts"]
        return BatchLook(
            state="ended" if batch["processing_status"] == "ended" else "running",
            n_requests=sum(counts.values()),
            n_done=counts["succeeded"],
            n_failed=counts["errored"] + counts["canceled"] + counts["expired"],
        )

    async def results(self, batch_id: str) -> AsyncIterator[tuple[str, Completion | ProviderError]]:
        async for together, result in self._lines(batch_id):
            _, name = split_custom_id(together)
            yield name, _outcome(result)

    async def cancel(self, batch_id: str) -> None:
        await self._ask(self._batches.with_raw_response.cancel, batch_id)

    async def _made_since(self, since: datetime) -> AsyncIterator[Mapping[str, Any]]:
        """The account's batches, the newest first."""
        after: dict[str, str] = {}
        while True:
            page = await self._ask(self._batches.with_raw_response.list, limit=_PAGE, **after)
            for batch in page["data"]:
                if datetime.fromisoformat(batch["created_at"]) < since:
                    return
                yield batch
            if not page.get("has_more") or not page["data"]:
                return
            after = {"after_id": page["data"][-1]["id"]}

    async def _has_mark(self, batch_id: str, mark: str) -> bool:
        async for together, _ in self._lines(batch_id):
            return split_custom_id(together)[0] == mark
        return False

    async def _lines(self, batch_id: str) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        lines = await free(self._batches.results(batch_id, timeout=_ASK_SECONDS), provider=_NAME, within=_ASK_SECONDS)
        try:
            while (line := await free(anext(lines, None), provider=_NAME, within=_ASK_SECONDS)) is not None:
                entry = line.to_dict()
                yield entry["custom_id"], entry["result"]
        finally:
            await lines.close()

    async def _ask(self, method: Callable[..., Awaitable[Any]], *args: Any, **params: Any) -> Mapping[str, Any]:
        raw = await free(method(*args, **params, timeout=_ASK_SECONDS), provider=_NAME, within=_ASK_SECONDS)
        try:
            return json_object(raw.http_response.text, provider=_NAME)
        except ProviderUnclear as error:
            raise unbilled(error) from None


def _outcome(result: Mapping[str, Any]) -> Completion | ProviderError:
    """A result of a batch; what was not answered was not billed."""
    match result["type"]:
        case "succeeded":
            try:
                return completion_of(result["message"], request_id=result["message"].get("id"))
            except ProviderUnclear as error:
                return error
        case "errored":
            return unbilled(classify(_NAME, status=None, body=result.get("error")))
        case how:
            return ProviderFailed(f"Anthropic's batch ended before this request was answered ({how})")
