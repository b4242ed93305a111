"""What a step needs from whoever keeps its records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol, TypeAlias

InDoubt: TypeAlias = Literal["repeat", "hold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a call brought back, as it came: recorded before anything parses it."""

    value: Any  # JSON
    cost: Decimal = Decimal(0)  # US dollars really billed
    usage: Mapping[str, int] = field(default_factory=dict)  # what it was billed for, e.g. {"input_tokens": 812}


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A call about to be made."""

    id: str  # a new one for every attempt
    step: str
    fingerprint: str
    model: str
    reserve: Decimal  # the most it can cost, US dollars
    credential: str = ""  # digest of the key that pays, for caps and the ledger; never the key


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The step's reply is in the journal already."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The intent is on disk: make the call. `doubts` are earlier intents whose outcome nobody knows."""

    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An earlier intent is in doubt and the policy is to wait for a person."""

    call_id: str


Answer: TypeAlias = Recorded | Granted | Held


class Journal(Protocol):
    """Keeps intents and replies. Every method returns only when what it says is durable."""

    async def begin(self, intent: Intent, *, in_doubt: InDoubt) -> Answer:
        """Find the recorded reply, or commit the intent with what it reserves. Raises BudgetUsedUp instead."""
        ...

    async def settle(self, intent: Intent, reply: Reply) -> Any:
        """Commit the reply and its cost; returns the value that counts: the first one recorded."""
        ...

    async def fail(self, intent: Intent, *, error: str, cost: Decimal | None) -> None:
        """Commit that the call was made and brought nothing, and what it cost; None: nobody knows, it is in doubt."""
        ...
