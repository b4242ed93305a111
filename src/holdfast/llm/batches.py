"""Batches: many requests handed in at once, answered within a day, at half the price."""

import re
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeAlias

from holdfast.errors import ProviderError
from holdfast.llm.values import Completion, Request

# Anthropic allows 64 of these; OpenAI allows more. The dash ends the mark.
_MARK = re.compile(r"[a-zA-Z0-9_]{1,40}")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,63}")
_LONGEST = 64

# A submit whose client died may still be on its way for so long, and the provider's clock may be off by so much.
SETTLED = timedelta(seconds=10)
CLOCK_SKEW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Our submit reached the provider: this is its batch."""

    batch_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotThere:
    """Our submit never reached the provider: it may be made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure:
    """It cannot be told yet; look again in so many seconds."""

    look_again_in: float


Search: TypeAlias = Found | NotThere | Unsure


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLook:
    """How far a batch is."""

    state: Literal["running", "ended"]
    n_requests: int
    n_done: int  # answered; some providers say so only at the end
    n_failed: int  # refused, expired or cancelled


class Batches(Protocol):
    """A provider's batches. Every method raises ProviderError kinds; only `submit` can cost anything."""

    async def submit(self, requests: Mapping[str, Request], *, mark: str) -> str:
        """Hand the requests in; returns the provider's id of the batch.

        `mark` identifies this submit: up to 40 letters, digits and _. With a name and a dash between them it has at
        most 64 characters (`custom_id`, which raises ValueError). ProviderUnclear: `find` tells what became of it.
        """
        ...

    async def find(self, mark: str, *, n_requests: int, since: datetime, known: Collection[str] = ()) -> Search:
        """What became of a submit with this mark that began at `since`; `known` are batches that are not it."""
        ...

    async def look(self, batch_id: str) -> BatchLook:
        """How far it is; free."""
        ...

    def results(self, batch_id: str) -> AsyncIterator[tuple[str, Completion | ProviderError]]:
        """Name and answer of every request of an ended batch, in any order; free, and again as often as asked."""
        ...

    async def cancel(self, batch_id: str) -> None:
        """Ask for its end; what is answered by then is billed and among the results."""
        ...


def custom_id(mark: str, name: str) -> str:
    """What a request is called at the provider. Raises ValueError if it may not be called so."""
    together = f"{mark}-{name}"
    if not (_MARK.fullmatch(mark) and _NAME.fullmatch(name) and len(together) <= _LONGEST):
        raise ValueError(f"{together!r} cannot name a request: at most {_LONGEST} letters, digits, _ and -")
    return together


def split_custom_id(together: str) -> tuple[str, str]:
    """Mark and name."""
    mark, _, name = together.partition("-")
    return mark, name
