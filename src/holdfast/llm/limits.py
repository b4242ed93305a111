"""The one place where a model is called: at the pace all workers share, for as long as the provider is well."""

import asyncio
from typing import Literal, Protocol, TypeAlias

import structlog

from holdfast.errors import HoldfastError, ProviderBusy, ProviderError, ProviderFailed, ProviderUnclear
from holdfast.llm.client import Client
from holdfast.llm.tokens import count_request
from holdfast.llm.values import Completion, Request

log = structlog.get_logger("holdfast.llm")

# What a call says of the provider: it works | it asks for a slower pace | it is not well.
Outcome: TypeAlias = Literal["ok", "busy", "failed"]


class NotYet(HoldfastError):
    """Nothing was called: the pace, or a provider that is not well, asks to wait so long first."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the provider is to be called in {seconds:.1f} s at the earliest")
        self.seconds = seconds


class Throttle(Protocol):
    """The pace of one account, shared by all who use it."""

    async def enter(self, tokens: int) -> float:
        """0.0: go, and leave when done; else how many seconds to wait before asking again."""
        ...

    async def leave(self, *, outcome: Outcome, reserved: int, used: int, retry_after: float | None) -> None:
        """Say how it went. Who dies or is cancelled never says it: a throttle must not wait for that."""
        ...


class Unthrottled:
    """No limits."""

    async def enter(self, tokens: int) -> float:
        return 0.0

    async def leave(self, *, outcome: Outcome, reserved: int, used: int, retry_after: float | None) -> None:
        """Nobody is told."""


async def call(
    client: Client, request: Request, *, throttle: Throttle, within: float, patience: float = 0.0
) -> Completion:
    """Ask the throttle, make one call that ends `within` so many seconds, and say how it went.

    Waits for the throttle up to `patience` seconds. Raises NotYet if that is not enough, ProviderError kinds if the
    call brought nothing. Never calls twice: retries belong to the queue.
    """
    reserved = count_request(request) + request.max_tokens
    await _enter(throttle, reserved, patience=patience)
    try:
        completion = await client.complete(request, within=within)
    except ProviderError as error:
        used = reserved if isinstance(error, ProviderUnclear) else 0
        await _leave(throttle, _outcome(error), reserved=reserved, used=used, retry_after=error.retry_after)
        raise
    await _leave(throttle, "ok", reserved=reserved, used=completion.usage.total)
    return completion


async def _enter(throttle: Throttle, tokens: int, *, patience: float) -> None:
    left = patience
    while (wait := await throttle.enter(tokens)) > 0:
        if wait > left:
            raise NotYet(wait)
        await asyncio.sleep(wait)
        left -= wait


async def _leave(
    throttle: Throttle, outcome: Outcome, *, reserved: int, used: int, retry_after: float | None = None
) -> None:
    try:
        await throttle.leave(outcome=outcome, reserved=reserved, used=used, retry_after=retry_after)
    except Exception as error:  # noqa: BLE001 - an answer that was paid for is worth more than the pace
        log.warning("throttle not told", outcome=outcome, error=type(error).__name__)


def _outcome(error: ProviderError) -> Outcome:
    if isinstance(error, ProviderBusy):
        return "busy"
    if isinstance(error, ProviderFailed | ProviderUnclear):
        return "failed"
    return "ok"  # it works: what is wrong is the key, the credit or the request
