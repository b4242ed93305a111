"""What all bodies share: frozen models, text that can be stored, money, and the problem every error is."""

from decimal import Decimal
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

MAX_ID = 2**63 - 1  # of a bigint


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold NUL characters")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not hold halves of surrogate pairs")
    return text


def _dollars(amount: Decimal) -> str:
    """At least cents, at most millionths: 0 is 0.00, 0.1234 is 0.1234."""
    whole, _, part = f"{amount:.6f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


Storable: TypeAlias = Annotated[str, AfterValidator(_storable)]
Id: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=MAX_ID)]
Usd: TypeAlias = Annotated[
    Decimal,
    PlainSerializer(_dollars, return_type=str),
    WithJsonSchema({"type": "string", "format": "decimal", "examples": ["0.00", "14.8725"]}, mode="serialization"),
]


class Body(BaseModel):
    """A request's or a reply's body; a field it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FieldProblem(Body):
    """One field that is wrong."""

    path: str = Field(description="Where: `body.config.n_clusters`, `query.limit`, `header.Idempotency-Key` …")
    message: str = Field(description="What to do about it")


class ProblemBody(Body):
    """Every error of this API (RFC 9457)."""

    type: str = Field(description="A constant name for the kind of problem", examples=["urn:holdfast:problem:conflict"])
    title: str
    status: int
    detail: str
    errors: tuple[FieldProblem, ...] = ()


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems an operation may answer with, for its OpenAPI description; 503 is in every one."""
    schema = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
    words = {304: "Not modified", 404: "Not found", 409: "The state does not allow it", 413: "Too large"}
    words |= {415: "Not a content type that can be read", 422: "Not valid", 503: "A server is away"}
    found: dict[int | str, dict[str, Any]] = {
        status: {"description": words[status], "content": schema} for status in sorted({*statuses, 503})
    }
    if 304 in found:
        found[304].pop("content")
    return found
