"""Bodies about money, and about what a person does to a generation."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import Field

from holdfast.api.bodies import Body, Usd

StatusWord: TypeAlias = Literal[
    "queued", "processing", "paused", "completed", "partial", "failed", "cancelled", "applied"
]
Budget: TypeAlias = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6)]


class CostEstimateBody(Body):
    """What the generation may cost; `offline` costs nothing. Calls and tokens are those of the upper end."""

    low_usd: Usd = Decimal(0)
    high_usd: Usd = Decimal(0)
    n_calls: int = Field(
        0, description="Labels and the calls beside them; 0 for `offline` while the clusters are to be found"
    )
    input_tokens: int = 0
    output_tokens: int = 0


class CostBody(Body):
    """Money, as decimal strings in US dollars; computed from the calls' ledger."""

    spent_usd: Usd
    reserved_usd: Usd = Field(description="For calls under way")
    in_doubt_usd: Usd = Field(description="For calls whose outcome nobody knows")
    budget_usd: Usd | None = Field(description="null: no limit was asked for")
    calls: int = Field(description="Calls made")


class BudgetBody(Body):
    """A new budget for a generation that goes on."""

    budget_usd: Budget | None = Field(None, description="Most it may spend in all; null: as before")


class ResolveBody(Body):
    """What became of calls in doubt, as the provider's own bill says."""

    call_ids: tuple[UUID, ...] | None = Field(None, min_length=1, description="Default: every call in doubt")
    cost_usd: Budget | None = Field(
        None, description="What each of them was billed; 0: it was never made; null: what it had reserved"
    )
    then: Literal["repeat", "give_up"] = Field("repeat", description="What becomes of the clusters held for them")


class SteeredBody(Body):
    """What a generation is now."""

    generation_id: UUID
    status: StatusWord


class RetriedBody(SteeredBody):
    """A generation that tries again."""

    n_retried: int = Field(description="Units that are owed once more")


class ResolvedBody(SteeredBody):
    """What settling calls has led to."""

    call_ids: tuple[UUID, ...] = Field(description="In doubt no more")
    n_repeated: int = Field(description="Held clusters that are asked for again")
    n_given_up: int = Field(description="Held clusters that failed")


class CallBody(Body):
    """One call to a provider, without what was said."""

    id: UUID
    generation_id: UUID | None
    step: str
    model: str
    credential: str = Field(description="Digest of the key that paid")
    batch_id: UUID | None
    state: Literal["intent", "in_doubt", "replied", "superseded", "failed", "settled"]
    reserved_usd: Usd
    cost_usd: Usd | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    error: str | None
    created_at: datetime
    settled_at: datetime | None


class CallsBody(Body):
    """A page of a generation's calls, the oldest first."""

    items: tuple[CallBody, ...]
    total: int
    next_cursor: str | None


class CostRowBody(Body):
    """The calls of one group."""

    group: str
    n_calls: int
    n_in_doubt: int
    spent_usd: Usd
    reserved_usd: Usd
    in_doubt_usd: Usd
    input_tokens: int
    output_tokens: int


class CostsBody(Body):
    """What calls have cost, by group, and in all."""

    by: str
    items: tuple[CostRowBody, ...]
    spent_usd: Usd
    in_doubt_usd: Usd


class GenerationBody(Body):
    """One generation in a list."""

    generation_id: UUID
    state: Literal["active", "paused", "completed", "partial", "failed", "cancelled", "applied"]
    model: str
    n_answers: int
    budget_usd: Usd | None
    created_at: datetime
    finished_at: datetime | None


class GenerationsBody(Body):
    """Every generation of a category, the newest first."""

    items: tuple[GenerationBody, ...]
    total: int
