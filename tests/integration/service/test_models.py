"""What all workers are told of a turn: whether the call was made, what it used, and how the provider is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from holdfast.errors import (
    Postponed,
    ProviderAuth,
    ProviderBusy,
    ProviderError,
    ProviderFailed,
    ProviderUnclear,
    StepNotWanted,
)
from holdfast.llm import Request
from holdfast.queue import Queue, Throttle
from holdfast.service.models import Models
from holdfast.settings import Settings
from holdfast.stub import StubProvider

MODEL = "anthropic:stub-model"
REQUEST = Request(system="", user="Name it.", schema={"type": "object"}, schema_name="label", max_tokens=100)
TOKENS = 60_000  # of a turn, as many as a minute has: the next turn has to wait for what was not given back


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[Queue]:
    async with Queue("q", url=redis_url) as opened:
        yield opened


@pytest.fixture
async def models(queue: Queue, provider: StubProvider, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Models]:
    for name, value in provider.environment().items():
        monkeypatch.setenv(name, value)
    opened = Models(Settings(tokens_per_minute=TOKENS, call_seconds=1.0), queue)
    yield opened
    await opened.close()


async def take_turn(models: Models, *, call: bool = True, error: Exception | None = None) -> None:
    """A turn in which the call is made or not, and something may go wrong afterwards."""
    async with models.turn(MODEL, tokens=TOKENS) as turn:
        if call:
            await turn.complete(REQUEST)
        if error is not None:
            raise error


async def fail(models: Models, provider: StubProvider, times: int) -> None:
    """So many failures in a row."""
    provider.faults({"fault": "server_error", "times": times})
    for _ in range(times):
        with pytest.raises(ProviderFailed):
            await take_turn(models)


async def failures(models: Models, queue: Queue) -> float:
    name = models.client(MODEL).credential
    look = Throttle(queue, name, requests_per_minute=None, tokens_per_minute=None)
    return (await look.look())["failures"]


async def is_free_again(models: Models) -> bool:
    """Whether the tokens of the last turn were given back."""
    try:
        await take_turn(models, call=False)
    except Postponed:
        return False
    return True


@pytest.mark.parametrize("error", [None, StepNotWanted(step="label/0", state="paused"), ValueError("a bug")])
async def test_a_call_that_was_not_made_says_nothing_of_the_provider_and_uses_nothing(
    models: Models, queue: Queue, provider: StubProvider, error: Exception | None
) -> None:
    await fail(models, provider, times=2)

    with suppress(ValueError, StepNotWanted):
        await take_turn(models, call=False, error=error)

    assert await failures(models, queue) == 2
    assert await is_free_again(models)


@pytest.mark.parametrize("error", [None, ValueError("its reply could not be stored")])
async def test_a_call_that_was_answered_says_that_the_provider_works(
    models: Models, queue: Queue, provider: StubProvider, error: Exception | None
) -> None:
    await fail(models, provider, times=1)

    with suppress(ValueError):
        await take_turn(models, error=error)

    assert await failures(models, queue) == 0
    assert len(provider.bill().calls) == 1
    assert await is_free_again(models)


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        ("server_error", ProviderFailed, {"failures": 2, "free": True}),
        ("timeout_after_billing", ProviderUnclear, {"failures": 2, "free": False}),
        ("auth", ProviderAuth, {"failures": 0, "free": True}),
        ("rate_limit", ProviderBusy, {"failures": 1, "free": False}),  # nobody, before the provider's own time is up
    ],
)
async def test_each_error_says_what_it_means(
    models: Models, queue: Queue, provider: StubProvider, fault: str, kind: type[ProviderError], told: dict[str, int]
) -> None:
    await fail(models, provider, times=1)
    provider.faults({"fault": fault, "retry_after": 30})

    with pytest.raises(kind):
        await take_turn(models)

    assert {"failures": await failures(models, queue), "free": await is_free_again(models)} == told


async def test_once_stopped_no_call_is_begun_and_one_under_way_is_finished(
    models: Models, provider: StubProvider
) -> None:
    async def call() -> None:
        async with models.turn(MODEL, tokens=1) as turn:
            await turn.complete(REQUEST)

    provider.hold()
    calling = asyncio.create_task(call())
    await provider.waiting(1)

    models.stop()
    with pytest.raises(Postponed):
        await call()
    provider.release()
    await calling

    assert len(provider.bill().calls) == 1


async def test_a_call_that_is_cut_off_says_nothing_of_the_provider_and_counts_as_used(
    models: Models, queue: Queue, provider: StubProvider
) -> None:
    await fail(models, provider, times=1)
    provider.hold()

    calling = asyncio.create_task(take_turn(models))
    await provider.waiting(1)
    calling.cancel()
    await asyncio.wait({calling})
    provider.release()

    assert await failures(models, queue) == 1
    assert not await is_free_again(models)
