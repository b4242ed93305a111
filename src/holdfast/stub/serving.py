"""The order of things for one request: key, limit, fault, work, bill, gate, answer."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol

import orjson

from holdfast.stub import chat, embeddings, messages
from holdfast.stub.bill import BillBook, BilledCall
from holdfast.stub.faults import AFTER, CONTENT, REFUSALS, REQUEST_FAULTS, Event, Fault, Plan
from holdfast.stub.gate import Changes, Gate, Limiter
from holdfast.stub.prices import STUB_MODEL, Tariff, Usage
from holdfast.stub.replying import Prompt, Reply, compose
from holdfast.stub.wire import Answer, Call

BILLED_FAULTS = CONTENT | AFTER


class Face(Protocol):
    """One provider's wire format."""

    def read_prompt(self, body: Mapping[str, Any]) -> Prompt: ...

    def answer(self, prompt: Prompt, reply: Reply, *, request_id: str) -> Answer: ...

    def refusal(
        self, name: str, *, request_id: str, retry_after: float | None = None, text: str | None = None
    ) -> Answer: ...

    def refused(self, fault: Fault, *, request_id: str) -> Answer: ...

    def limits(self, limiter: Limiter) -> dict[str, str]: ...

    def whole(self, prompt: Prompt, reply: Reply, *, batch: bool = False) -> dict[str, Any]: ...


# By the API, or else by the provider.
FACES: dict[str, Face] = {"anthropic": messages, "openai": chat, "embeddings": embeddings}


@dataclass(slots=True, kw_only=True)
class Options:
    """How the stub is started; latency can be changed while it runs."""

    latency: float = 0.0  # seconds between bill and reply
    requests_per_minute: float | None = None
    burst: float | None = None  # requests that may come at once; None: a second's worth
    key: str | None = None  # None: any key will do
    strict_models: bool = False  # refuse models without a price
    batch_seconds: float = 0.0  # that a batch takes
    usage: Usage | None = None  # of every call, whatever is asked; None: counted


class Desk:
    """What all requests share: the bill, the plan of faults, the gate and the limit."""

    def __init__(self, folder: Path, prices: Mapping[str, Tariff], options: Options) -> None:
        self.folder = folder
        self.prices = prices
        self.options = options
        self.changes = Changes()
        self.book = BillBook(folder)
        self.plan = Plan()
        self.gate = Gate(self.changes)
        self.limiter = Limiter(options.requests_per_minute, burst=options.burst)
        self.ended: set[str] = set()  # batches
        self.requests = 0
        self.by_api: Counter[str] = Counter()
        self.refused = 0
        self.in_flight = 0
        self.most_in_flight = 0

    def bill(
        self, prompt: Prompt, reply: Reply, fault: Fault | None, *, api: str, request_id: str, **batch: str
    ) -> BilledCall:
        """Write the call down; `batch` are its custom_id and batch_id, if it is one of a batch."""
        billed = self.book.add(
            prompt.text,
            api=api,
            model=prompt.model,
            custom_id=batch.get("custom_id"),
            batch_id=batch.get("batch_id"),
            prompt_digest=prompt.digest,
            request_id=request_id,
            usage=reply.usage,
            usd=self.cost(prompt, reply, batch=bool(batch)),
            outcome=fault.fault if fault and fault.fault in BILLED_FAULTS else "ok",
        )
        self.changes.tell()
        return billed

    def compose(self, prompt: Prompt, fault: Fault | None) -> Reply:
        """The reply to a prompt, with the usage that is billed."""
        reply = compose(prompt, fault)
        return reply if self.options.usage is None else replace(reply, usage=self.options.usage)

    def cost(self, prompt: Prompt, reply: Reply, *, batch: bool) -> Decimal:
        tariff = self.prices.get(prompt.model) or self.prices[STUB_MODEL]
        return tariff.cost(reply.usage, batch=batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request to a provider's API, with whoever answers in its format."""

    call: Call
    api: str
    provider: str
    request_id: str

    @property
    def face(self) -> Face:
        return FACES.get(self.api) or FACES[self.provider]

    def refusal(self, name: str, text: str | None = None, *, retry_after: float | None = None) -> Answer:
        return self.face.refusal(name, request_id=self.request_id, text=text, retry_after=retry_after)


def visit(call: Call, *, api: str, provider: str) -> Visit:
    return Visit(call=call, api=api, provider=provider, request_id=f"req_{token_hex(12)}")


def barred(desk: Desk, visit: Visit) -> Answer | None:
    """The refusal of a request without the right key."""
    headers = visit.call.headers
    given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ").strip()
    right = bool(given) and desk.options.key in {None, given}
    return None if right else visit.refusal("auth")


async def generate(desk: Desk, visit: Visit) -> Answer:
    """Answer a question to a model."""
    wait = desk.limiter.take()
    if wait:
        return replace(visit.refusal("rate_limit", retry_after=wait), headers=_limited(desk, visit, wait))
    try:
        prompt = visit.face.read_prompt(orjson.loads(visit.call.body))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return visit.refusal("bad_request", str(error))
    if desk.options.strict_models and prompt.model not in desk.prices:
        return visit.refusal("not_found", f"model: {prompt.model}")
    event = _event(visit, prompt)
    fault = desk.plan.take(event)
    answer = stopped(visit, fault)
    return answer or await _paid(desk, visit, event, prompt, fault)


def _limited(desk: Desk, visit: Visit, wait: float) -> dict[str, str]:
    refused = visit.refusal("rate_limit", retry_after=wait)
    return {**refused.headers, **visit.face.limits(desk.limiter)}


def _event(visit: Visit, prompt: Prompt) -> Event:
    return Event(
        api=visit.api,
        provider=visit.provider,
        possible=REQUEST_FAULTS | CONTENT,
        model=prompt.model,
        text=prompt.text,
        schema_name=prompt.schema_name or "",
    )


def stopped(visit: Visit, fault: Fault | None) -> Answer | None:
    """The end of a request that a fault stops before any work."""
    if fault is None:
        return None
    if fault.fault in REFUSALS:
        return visit.face.refused(fault, request_id=visit.request_id)
    if fault.fault == "empty_list":
        return Answer(body=b'{"data": [], "has_more": false}')
    if fault.fault == "close_on_accept":
        return Answer(delivery="reset")
    return Answer(delivery="silent") if fault.fault == "timeout_before_billing" else None


def delivered(answer: Answer, fault: Fault | None) -> Answer:
    """The answer as a fault of the connection lets it out."""
    match fault.fault if fault else "":
        case "timeout_after_billing":
            return replace(answer, delivery="silent")
        case "cut_body":
            return replace(answer, delivery="cut")
        case "slow":
            return replace(answer, seconds=fault.seconds if fault else 0.0)
        case _:
            return answer


async def _paid(desk: Desk, visit: Visit, event: Event, prompt: Prompt, fault: Fault | None) -> Answer:
    await desk.gate.enter(event, visit.call.gone, before_billing=True)
    if visit.call.gone.is_set():  # nobody waits any more for work that was not begun
        return Answer(delivery="reset")
    reply = desk.compose(prompt, fault)
    desk.bill(prompt, reply, fault, api=visit.api, request_id=visit.request_id)
    if desk.options.latency:
        await asyncio.sleep(desk.options.latency)
    await desk.gate.enter(event, visit.call.gone)
    answer = visit.face.answer(prompt, reply, request_id=visit.request_id)
    limits = visit.face.limits(desk.limiter)
    return delivered(replace(answer, headers={**answer.headers, **limits}) if limits else answer, fault)
