"""The models of this process: clients, prices, and the turns that all workers with one key take together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Literal, TypeAlias, TypeVar

from holdfast.errors import Postponed, ProviderBusy, ProviderError, ProviderFailed, ProviderUnclear, QueueUnavailable
from holdfast.llm import Client, Completion, Embedded, Keys, Price, Prices, Request, count_request, open_client
from holdfast.queue import Queue, Throttle
from holdfast.settings import Settings

PATIENCE = 5.0  # seconds a turn is waited for with the job in hand; longer ones give the job back meanwhile
LEAVING = 0.5  # seconds to tell the limiter how a call went
AWAY = 2.0  # seconds until a Redis that is away is asked again

# What a call says of the provider: it works | it asks for a slower pace | it is not well | nothing.
Outcome: TypeAlias = Literal["ok", "busy", "failed", "unused"]

Answered = TypeVar("Answered", Completion, Embedded)


def keys_of(settings: Settings) -> Keys:
    """The providers' keys and addresses, as the environment has them."""
    return Keys(
        anthropic_key=settings.anthropic_key.get_secret_value() if settings.anthropic_key else None,
        anthropic_url=settings.anthropic_url,
        openai_key=settings.openai_key.get_secret_value() if settings.openai_key else None,
        openai_url=settings.openai_url,
    )


def prices_of(settings: Settings) -> Prices:
    """The table of prices with the settings' own ones."""
    return Prices({model: Price(**given.model_dump()) for model, given in settings.prices.items()})


class Turn:
    """Leave to make one call, and what the throttle is told of it afterwards."""

    def __init__(self, client: Client, *, tokens: int, within: float) -> None:
        self._client = client
        self._within = within
        self.reserved = tokens
        self.used = 0  # tokens; of a call that nobody knows the end of, all that were reserved
        self.outcome: Outcome = "unused"  # not made, or cut off by our own end
        self.retry_after: float | None = None

    async def complete(self, request: Request) -> Completion:
        """Make the call. Raises ProviderError."""
        return await self._made(self._client.complete(request, within=self._within))

    async def embed(self, texts: Sequence[str], *, dimensions: int | None = None) -> Embedded:
        """Make the call. Raises ProviderError, NotConfigured."""
        return await self._made(self._client.embed(texts, dimensions=dimensions, within=self._within))

    async def _made(self, call: Awaitable[Answered]) -> Answered:
        self.used = self.reserved
        try:
            answered = await call
        except ProviderError as error:
            self.outcome, self.retry_after = _told(error), error.retry_after
            self.used = self.reserved if isinstance(error, ProviderUnclear) else 0
            raise
        self.outcome, self.used = "ok", answered.usage.total
        return answered


class Models:
    """Opens clients by model and keeps them."""

    def __init__(self, settings: Settings, queue: Queue) -> None:
        self._settings = settings
        self._queue = queue
        self._prices = prices_of(settings)
        self._clients: dict[str, Client] = {}
        self._opening = asyncio.Lock()
        self._throttles: dict[str, Throttle] = {}
        self._stopped = False

    def client(self, model: str) -> Client:
        """Raises NotConfigured without the provider's key or package."""
        if model not in self._clients:
            self._clients[model] = open_client(model, keys_of(self._settings))
        return self._clients[model]

    async def ready(self, model: str) -> Client:
        """The same from an event loop: a provider's SDK takes a second or more to import, and its TLS to set up."""
        async with self._opening:
            if model not in self._clients:
                await asyncio.to_thread(self.client, model)
            return self._clients[model]

    def price(self, model: str, *, speaks: bool = True) -> Price:
        """Raises NotConfigured for a model whose price nobody gave."""
        return self._prices.of(model, speaks=speaks)

    @asynccontextmanager
    async def turn(self, model: str, *, tokens: int) -> AsyncIterator[Turn]:
        """Wait for leave to use so many tokens. Raises Postponed if that takes long: give the job back until then."""
        if self._stopped:
            raise Postponed(0.0)
        client = await self.ready(model)
        throttle = self._throttle(client)
        await self._enter(throttle, tokens)
        turn = Turn(client, tokens=tokens, within=self._settings.call_seconds)
        try:
            yield turn
        finally:
            await self._leave(throttle, turn)

    def stop(self) -> None:
        """Begin no call any more; those under way are finished and recorded. A unit may have several to make."""
        self._stopped = True

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()

    def _throttle(self, client: Client) -> Throttle:
        if client.credential not in self._throttles:
            self._throttles[client.credential] = Throttle(
                self._queue,
                client.credential,
                requests_per_minute=self._settings.requests_per_minute,
                tokens_per_minute=self._settings.tokens_per_minute,
            )
        return self._throttles[client.credential]

    async def _enter(self, throttle: Throttle, tokens: int) -> None:
        waited = 0.0
        while True:
            try:
                wait = await throttle.enter(tokens)
            except QueueUnavailable as error:
                raise Postponed(AWAY) from error
            if wait <= 0:
                return
            if waited + wait > PATIENCE:
                raise Postponed(wait)
            await asyncio.sleep(wait)
            waited += wait

    async def _leave(self, throttle: Throttle, turn: Turn) -> None:
        # What is told late or never only makes the limiter a little too careful: no reason to fail a call for it, nor
        # to keep a unit waiting whose reply is there.
        with suppress(QueueUnavailable, TimeoutError):
            async with asyncio.timeout(LEAVING):
                await throttle.leave(
                    outcome=turn.outcome, reserved=turn.reserved, used=turn.used, retry_after=turn.retry_after
                )


def _told(error: ProviderError) -> Outcome:
    if isinstance(error, ProviderBusy):
        return "busy"
    # Of the others it is the key, the credit or the request that is wrong: the provider works.
    return "failed" if isinstance(error, ProviderFailed | ProviderUnclear) else "ok"


def most_of(price: Price, request: Request, *, batch: bool = False) -> Decimal:
    """The most the call can cost, US dollars."""
    return price.most(input_tokens=count_request(request), max_tokens=request.max_tokens, batch=batch)
