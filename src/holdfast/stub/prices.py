"""What the stub charges: dollars per million tokens, by model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import ROUND_UP, Decimal
from typing import Self

MILLION = Decimal(1_000_000)
CENT_OF_A_CENT = Decimal("0.000001")  # money is counted in millionths of a dollar, rounded up
STUB_MODEL = "stub-model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call; the four do not overlap."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """One model's prices, in US dollars per million tokens."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `IN,OUT[,CACHE_READ[,CACHE_WRITE]]`; tokens of a cache cost what others cost if nothing is said."""
        numbers = [Decimal(part) for part in text.split(",")]
        if not 2 <= len(numbers) <= 4 or any(number < 0 for number in numbers):
            raise ValueError(f"a price is IN,OUT[,CACHE_READ[,CACHE_WRITE]], not {text!r}")
        read, write = (*numbers[2:], numbers[0], numbers[0])[:2]
        return cls(input=numbers[0], output=numbers[1], cache_read=read, cache_write=write)

    def told(self) -> dict[str, str]:
        """As HOLDFAST_PRICES wants it: the cache's prices only where they are others."""
        rates = {name: f"{usd:f}" for name, usd in asdict(self).items()}
        return {name: usd for name, usd in rates.items() if name in {"input", "output"} or usd != rates["input"]}

    def __str__(self) -> str:
        return ",".join(f"{each:f}" for each in (self.input, self.output, self.cache_read, self.cache_write))

    def cost(self, usage: Usage, *, batch: bool) -> Decimal:
        """A call's price in US dollars; half of it in a batch."""
        total = (
            self.input * usage.input_tokens
            + self.output * usage.output_tokens
            + self.cache_read * usage.cache_read_tokens
            + self.cache_write * usage.cache_write_tokens
        ) / MILLION
        return (total / 2 if batch else total).quantize(CENT_OF_A_CENT, rounding=ROUND_UP)


DEFAULT = Tariff.parse("3,15")


def price_list(given: Mapping[str, str]) -> dict[str, Tariff]:
    """The tariffs given as text, and the stub model's."""
    return {STUB_MODEL: DEFAULT} | {model: Tariff.parse(text) for model, text in given.items()}
