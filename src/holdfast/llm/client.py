"""The client of a model, whichever provider has it."""

from collections.abc import Sequence
from typing import Protocol

from holdfast.errors import NotConfigured
from holdfast.llm.batches import Batches
from holdfast.llm.keys import Account, Keys, account
from holdfast.llm.values import Completion, Embedded, Request

ANTHROPIC_URL = "https://api.anthropic.com"
OPENAI_URL = "https://api.openai.com/v1"


class Client(Protocol):
    """One model of one account."""

    @property
    def model(self) -> str:
        """As it was asked for: "anthropic:NAME" or "openai:NAME"."""
        ...

    @property
    def credential(self) -> str:
        """16 hex digits that name the account that pays; the key cannot be told from them."""
        ...

    @property
    def batches(self) -> Batches:
        """The same model at half the price, within a day."""
        ...

    async def complete(self, request: Request, *, within: float) -> Completion:
        """Make one HTTP request, never a second one, that ends within so many seconds.

        Raises ProviderError kinds only; their `cost` says what is known of the bill. A cancelled call has been sent or
        not: its caller has to count it as in doubt.
        """
        ...

    async def embed(self, texts: Sequence[str], *, within: float, dimensions: int | None = None) -> Embedded:
        """The vectors of the texts, by one HTTP request like `complete`. Raises as that does, and NotConfigured.

        `dimensions`: how long they are to be; None, and of a host that does not know it: as the model makes them.
        """
        ...

    async def close(self) -> None:
        """Close its connections."""
        ...


def open_client(model: str, keys: Keys) -> Client:
    """The client of `model`: "anthropic:NAME" or "openai:NAME".

    Raises NotConfigured if the provider is unknown, its key is missing, or its SDK is not installed.
    """
    paying = account_of(model, keys)
    provider, _, name = model.partition(":")
    if provider == "anthropic":
        from holdfast.llm.anthropic import AnthropicClient  # noqa: PLC0415 - only who uses a provider needs its SDK

        return AnthropicClient(name, paying)
    from holdfast.llm.openai import OpenAIClient  # noqa: PLC0415 - as above

    return OpenAIClient(name, paying)


def account_of(model: str, keys: Keys) -> Account:
    """Who pays for `model`. Raises NotConfigured if the provider is unknown or its key is missing."""
    provider, _, name = model.partition(":")
    if not name:
        raise NotConfigured(f"{model!r} names no model; write anthropic:NAME or openai:NAME")
    if provider == "anthropic":
        return account(
            "Anthropic",
            key=keys.anthropic_key,
            url=keys.anthropic_url,
            default_url=ANTHROPIC_URL,
            variable="ANTHROPIC",
        )
    if provider == "openai":
        return account("OpenAI", key=keys.openai_key, url=keys.openai_url, default_url=OPENAI_URL, variable="OPENAI")
    raise NotConfigured(f"there is no provider {provider!r}; write anthropic:NAME or openai:NAME")
