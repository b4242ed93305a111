"""What a call costs: US dollars a million tokens, from a table that comes with the package or from the user."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_UP, Decimal, InvalidOperation
from typing import Any, Self

from holdfast.clock import Clock, SystemClock
from holdfast.errors import NotConfigured
from holdfast.llm.sdk import load
from holdfast.llm.values import Usage

_MILLION = Decimal(1_000_000)
_STEP = Decimal("0.000001")
_FIELDS = frozenset({"input", "output", "cache_read", "cache_write"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars a million tokens."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None  # None: as input
    cache_write: Decimal | None = None  # None: as input
    above: tuple[tuple[int, "Price"], ...] = ()  # from more than so many input tokens on, this price for the whole call
    batch: "Price | None" = None  # of a batch; None: half of this one

    def cost(self, usage: Usage, *, batch: bool = False) -> Decimal:
        """US dollars, rounded up to 6 digits."""
        rates = _rates(self, usage.total - usage.output_tokens, batch=batch)
        sum_ = (
            usage.input_tokens * rates.input
            + usage.output_tokens * rates.output
            + usage.cache_read_tokens * _or(rates.cache_read, rates.input)
            + usage.cache_write_tokens * _or(rates.cache_write, rates.input)
        )
        return (sum_ / _MILLION).quantize(_STEP, rounding=ROUND_UP)

    def most(self, *, input_tokens: int, max_tokens: int, batch: bool = False) -> Decimal:
        """The most such a call can cost, whatever the provider's cache does."""
        rates = _rates(self, input_tokens, batch=batch)
        dearest = max(rates.input, _or(rates.cache_read, rates.input), _or(rates.cache_write, rates.input))
        sum_ = input_tokens * dearest + max_tokens * rates.output
        return (sum_ / _MILLION).quantize(_STEP, rounding=ROUND_UP)


def _rates(price: Price, input_tokens: int, *, batch: bool) -> Price:
    """The price that holds for a call with so many input tokens."""
    if batch:
        price = price.batch or _half(price)
    reached = [dearer for start, dearer in price.above if input_tokens > start]
    return reached[-1] if reached else price


def _half(price: Price) -> Price:
    return Price(
        input=price.input / 2,
        output=price.output / 2,
        cache_read=None if price.cache_read is None else price.cache_read / 2,
        cache_write=None if price.cache_write is None else price.cache_write / 2,
        above=tuple((start, _half(dearer)) for start, dearer in price.above),
    )


class Prices:
    """The price of every model: the user's own, else the table of genai-prices as it was installed, never fetched."""

    def __init__(self, overrides: Mapping[str, Price], *, clock: Clock | None = None) -> None:
        self._overrides = dict(overrides)
        self._clock = clock or SystemClock()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """From HOLDFAST_PRICES: `{"openai:my-model": {"input": "0.10", "output": "0.40"}}`, USD a million tokens.

        `cache_read` and `cache_write` may be given too. Raises NotConfigured.
        """
        try:
            given = json.loads(text or "{}", parse_float=str, parse_int=str)
            return cls({model: _price(model, fields) for model, fields in given.items()})
        except (AttributeError, ValueError):
            raise NotConfigured("HOLDFAST_PRICES must be a JSON object of models and their prices") from None

    def of(self, model: str, *, speaks: bool = True) -> Price:
        """The price of "anthropic:NAME" or "openai:NAME" at this time; one that does not speak bills no output.

        Raises NotConfigured if nobody knows it.
        """
        given = self._overrides.get(model)
        if given is not None:
            return given
        found = _from_table(model, now=self._clock.now(), speaks=speaks)
        if found is None:
            example = json.dumps({model: {"input": "0.10", "output": "0.40"}})
            raise NotConfigured(
                f"the price of {model} is not known, and nothing is called that may cost more than a cap allows; "
                f"give it in US dollars a million tokens: HOLDFAST_PRICES='{example}'"
            )
        return found


def _or(rate: Decimal | None, otherwise: Decimal) -> Decimal:
    return otherwise if rate is None else rate


def _price(model: str, fields: Mapping[str, Any]) -> Price:
    try:
        rates = {name: Decimal(str(value)) for name, value in fields.items()}
        if not rates.keys() <= _FIELDS or any(not rate.is_finite() or rate < 0 for rate in rates.values()):
            raise ValueError
        return Price(**rates)  # type: ignore[arg-type]
    except (AttributeError, InvalidOperation, TypeError, ValueError):
        raise NotConfigured(
            f"HOLDFAST_PRICES: {model} needs input and output, and may have cache_read and cache_write, "
            "each in US dollars a million tokens"
        ) from None


def _from_table(model: str, *, now: datetime, speaks: bool) -> Price | None:
    provider, _, name = model.partition(":")
    snapshot = load("genai_prices.data_snapshot").get_snapshot()
    try:
        _, info = snapshot.find_provider_model(name, None, provider, None)
    except LookupError:
        return None
    standard = _tiered(info.get_prices(now), speaks=speaks)
    if standard is None:
        return None
    if not any(variant.when == {"processing": "batch"} for variant in info.price_variants or ()):
        return standard
    return replace(standard, batch=_tiered(info.get_prices(now, {"processing": "batch"})))


def _tiered(prices: Any, *, speaks: bool = True) -> Price | None:
    """Our price from genai-prices' one; None if it has none for text."""
    if prices.input_mtok is None or (speaks and prices.output_mtok is None):
        return None
    rates = (prices.input_mtok, prices.output_mtok, prices.cache_read_mtok, prices.cache_write_mtok)
    starts = sorted({tier.start for rate in rates for tier in getattr(rate, "tiers", ())})
    tiers = tuple((start, _at(prices, input_tokens=start + 1)) for start in starts)
    return replace(_at(prices, input_tokens=0), above=tiers)


def _at(prices: Any, *, input_tokens: int) -> Price:
    def rate(value: Any) -> Any:
        tiers = [tier.price for tier in getattr(value, "tiers", ()) if input_tokens > tier.start]
        return tiers[-1] if tiers else getattr(value, "base", value)

    return Price(
        input=rate(prices.input_mtok),
        output=Decimal(0) if prices.output_mtok is None else rate(prices.output_mtok),
        cache_read=rate(prices.cache_read_mtok),
        cache_write=rate(prices.cache_write_mtok),
    )
