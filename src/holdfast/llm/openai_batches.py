"""OpenAI's Batch API: a file of requests in, a file of answers out, our mark in the batch's metadata."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
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
from holdfast.llm.chats import chat_params, completion_of
from holdfast.llm.failures import answered, classify, free, unbilled
from holdfast.llm.sdk import json_object
from holdfast.llm.values import Completion, Request

_NAME = "OpenAI"
_ENDPOINT = "/v1/chat/completions"
_MARK = "holdfast"  # the key of our mark in a batch's metadata
_SUBMIT_SECONDS = 300.0  # up to 200 MB on their way
_ASK_SECONDS = 60.0
_PAGE = 100
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})


class OpenAIBatches:
    """Batches of one model."""

    def __init__(self, sdk: Any, *, model: str, own_host: bool, clock: Clock | None = None) -> None:
        self._batches = sdk.batches
        self._files = sdk.files
        self._model = model
        self._own_host = own_host
        self._clock = clock or SystemClock()

    async def submit(self, requests: Mapping[str, Request], *, mark: str) -> str:
        lines = b"".join(self._line(custom_id(mark, name), request) for name, request in requests.items())
        upload = self._files.with_raw_response.create
        file = await self._ask(
            upload, file=(f"{mark}.jsonl", lines), purpose="batch", within=_SUBMIT_SECONDS
        )  # a file alone costs nothing: only what follows can be in doubt
        create = self._batches.with_raw_response.create(
            input_file_id=file["id"],
            endpoint=_ENDPOINT,
            completion_window="24h",
            metadata={_MARK: mark},
            timeout=_ASK_SECONDS,
        )
        raw = await answered(create, provider=_NAME, within=_ASK_SECONDS)
        batch_id = json_object(raw.http_response.text, provider=_NAME).get("id")
        if not isinstance(batch_id, str):
            raise ProviderUnclear("OpenAI's reply is no batch")
        return batch_id

    async def find(self, mark: str, *, n_requests: int, since: datetime, known: Collection[str] = ()) -> Search:
        async for batch in self._made_since(since - CLOCK_SKEW):
            if (batch.get("metadata") or {}).get(_MARK) == mark:
                return Found(batch_id=batch["id"])
        young = (SETTLED - (self._clock.now() - since)).total_seconds()
        return Unsure(look_again_in=young) if young > 0 else NotThere()

    async def look(self, batch_id: str) -> BatchLook:
        batch = await self._ask(self._batches.with_raw_response.retrieve, batch_id)
        counts = batch.get("request_counts") or {}
        return BatchLook(
            state="ended" if batch["status"] in _ENDED else "running",
            n_requests=counts.get("total", 0),
            n_done=counts.get("completed", 0),
            n_failed=counts.get("failed", 0),
        )

    async def results(self, batch_id: str) -> AsyncIterator[tuple[str, Completion | ProviderError]]:
        batch = await self._ask(self._batches.with_raw_response.retrieve, batch_id)
        seen: set[str] = set()
        for file_id in filter(None, (batch.get("output_file_id"), batch.get("error_file_id"))):
            for line in _entries(await self._content(file_id)):
                seen.add(line["custom_id"])
                yield split_custom_id(line["custom_id"])[1], _outcome(line)
        # A batch that failed as a whole, expired, or was cancelled says nothing of the requests it never came to.
        for line in _entries(await self._content(batch["input_file_id"])) if len(seen) < _total(batch) else ():
            if line["custom_id"] not in seen:
                yield split_custom_id(line["custom_id"])[1], _never_reached(batch)

    async def cancel(self, batch_id: str) -> None:
        await self._ask(self._batches.with_raw_response.cancel, batch_id)

    def _line(self, together: str, request: Request) -> bytes:
        body = chat_params(request, model=self._model, own_host=self._own_host)
        line = {"custom_id": together, "method": "POST", "url": _ENDPOINT, "body": body}
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"

    async def _made_since(self, since: datetime) -> AsyncIterator[Mapping[str, Any]]:
        """The account's batches, the newest first."""
        after: dict[str, Any] = {}
        while True:
            page = await self._ask(self._batches.with_raw_response.list, limit=_PAGE, **after)
            for batch in page["data"]:
                if datetime.fromtimestamp(batch["created_at"], UTC) < since:
                    return
                yield batch
            if not page.get("has_more") or not page["data"]:
                return
            after = {"after": page["data"][-1]["id"]}

    async def _content(self, file_id: str) -> str:
        content = await free(
            self._files.content(file_id, timeout=_SUBMIT_SECONDS), provider=_NAME, within=_SUBMIT_SECONDS
        )
        return str(content.text)

    async def _ask(
        self, method: Callable[..., Awaitable[Any]], *args: Any, within: float = _ASK_SECONDS, **params: Any
    ) -> Mapping[str, Any]:
        raw = await free(method(*args, **params, timeout=within), provider=_NAME, within=within)
        try:
            return json_object(raw.http_response.text, provider=_NAME)
        except ProviderUnclear as error:
            raise unbilled(error) from None


def _entries(text: str) -> Iterator[Mapping[str, Any]]:
    try:
        for line in text.split("\n"):
            if line.strip():
                yield json_object(line, provider=_NAME)
    except ProviderUnclear as error:
        raise unbilled(error) from None  # it can be fetched again


def _total(batch: Mapping[str, Any]) -> float:
    """How many requests the batch has; of one that failed as a whole it does not say."""
    return (batch.get("request_counts") or {}).get("total") or float("inf")


def _outcome(line: Mapping[str, Any]) -> Completion | ProviderError:
    """A line of the answers or of the errors; what was not answered was not billed."""
    response = line.get("response") or {}
    status = response.get("status_code")
    try:
        if status is not None and status < 300:
            return completion_of(response["body"], request_id=response.get("request_id"))
    except ProviderUnclear as error:
        return error
    return unbilled(classify(_NAME, status=status, body=response.get("body") or {"error": line.get("error")}))


def _never_reached(batch: Mapping[str, Any]) -> ProviderError:
    reasons = (batch.get("errors") or {}).get("data") or []
    if batch["status"] == "failed" and reasons:
        return classify(_NAME, status=400, body={"error": reasons[0]})
    return ProviderFailed(f"OpenAI's batch ended before this request was answered ({batch['status']})")
