"""What goes to a provider and what comes back, the same for all of them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, TypeAlias

# Why the model stopped: it had said all | at max_tokens | it declined | the provider's filter cut it off.
Finish: TypeAlias = Literal["stop", "max_tokens", "refusal", "content_filter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a model."""

    system: str
    user: str
    schema: Mapping[str, Any]  # JSON Schema (an object) that the answer must fit
    schema_name: str  # letters, digits, _ and -: providers want one
    max_tokens: int  # of the answer
    temperature: float | None = None  # None: the provider's default, and the only thing some models allow


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call. The four do not overlap; all four are billed, each at its own price."""

    input_tokens: int  # neither read from nor written to a cache
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def total(self) -> int:
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_write_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A provider's answer, as it came: nothing has parsed `text` yet."""

    text: str  # JSON if the model kept to the schema
    finish: Finish
    usage: Usage
    model: str  # as the provider calls what answered
    request_id: str | None  # the provider's, to ask its support about

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(**{**value, "usage": Usage(**value["usage"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A provider's vectors of some texts, in their order and as they came; all have the same length."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage
    wrong: str = ""  # why the reply, which was billed, has no such vectors
