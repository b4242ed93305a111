"""Prices: from the bundled table, from the user, and never guessed."""

from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices.data_snapshot import get_snapshot

from holdfast.errors import NotConfigured
from holdfast.llm import Price, Prices, Usage

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
TABLE = Prices({})

MODELS = [
    "anthropic:claude-haiku-4-5",
    "anthropic:claude-haiku-5-5",
    "anthropic:claude-sonnet-4-5-20250929",
    "anthropic:claude-opus-4-8",
    "anthropic:claude-3-5-haiku-latest",
    "openai:gpt-4o-mini",
    "openai:gpt-4.1",
    "openai:gpt-5",
    "openai:gpt-5.4",
    "openai:gpt-5.6-luna",
    "openai:gpt-6-sol",
    "openai:o3",
]
USAGES = [
    Usage(input_tokens=1, output_tokens=0),
    Usage(input_tokens=812, output_tokens=301),
    Usage(input_tokens=300, output_tokens=77, cache_read_tokens=4096, cache_write_tokens=1024),
    Usage(input_tokens=99_000, output_tokens=5, cache_read_tokens=1_000),
    Usage(input_tokens=99_001, output_tokens=5, cache_read_tokens=1_000),
    Usage(input_tokens=250_000, output_tokens=9_000, cache_write_tokens=100_000),
]


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_costs_are_those_of_the_table_s_own_calculation(model: str, *, batch: bool) -> None:
    provider, name = model.split(":")
    snapshot = get_snapshot()
    _, info = snapshot.find_provider_model(name, None, provider, None)
    has_batch_price = any(variant.when == {"processing": "batch"} for variant in info.price_variants or ())

    for usage in USAGES:
        theirs = snapshot.calc(
            TheirUsage(
                input_tokens=usage.total - usage.output_tokens,
                output_tokens=usage.output_tokens,
                cache_read_tokens=usage.cache_read_tokens,
                cache_write_tokens=usage.cache_write_tokens,
            ),
            name,
            provider,
            None,
            None,
            {"processing": "batch"} if batch and has_batch_price else None,
        ).total_price
        expected = theirs / 2 if batch and not has_batch_price else theirs

        ours = TABLE.of(model).cost(usage, batch=batch)

        assert ours == expected.quantize(Decimal("0.000001"), rounding=ROUND_UP)


def test_a_batch_costs_half() -> None:
    price = Price(input=Decimal(3), output=Decimal(15), cache_read=Decimal("0.3"), cache_write=Decimal("3.75"))
    usage = Usage(input_tokens=1000, output_tokens=1000, cache_read_tokens=1000, cache_write_tokens=1000)

    assert price.cost(usage) == Decimal("0.022050")
    assert price.cost(usage, batch=True) == Decimal("0.011025")


def test_money_is_rounded_up_to_six_digits() -> None:
    price = Price(input=Decimal("0.1"), output=Decimal("0.4"))

    assert price.cost(Usage(input_tokens=1, output_tokens=0)) == Decimal("0.000001")
    assert price.cost(Usage(input_tokens=0, output_tokens=0)) == 0


def test_cached_tokens_cost_what_input_costs_if_they_have_no_price_of_their_own() -> None:
    price = Price(input=Decimal(10), output=Decimal(0))

    cost = price.cost(Usage(input_tokens=1, output_tokens=0, cache_read_tokens=2, cache_write_tokens=3))

    assert cost == Decimal("0.000060")


def test_beyond_a_threshold_the_whole_call_has_the_dearer_price() -> None:
    dearer = Price(input=Decimal(6), output=Decimal(20))
    price = Price(input=Decimal(3), output=Decimal(10), above=((200_000, dearer),))

    at = price.cost(Usage(input_tokens=100_000, output_tokens=1000, cache_read_tokens=100_000))
    beyond = price.cost(Usage(input_tokens=100_001, output_tokens=1000, cache_read_tokens=100_000))

    assert at == Decimal("0.610000")
    assert beyond == Decimal("1.220006")
    assert price.cost(Usage(input_tokens=200_001, output_tokens=0), batch=True) == Decimal("0.600003")


@pytest.mark.parametrize("model", MODELS)
def test_no_call_costs_more_than_the_most_it_can_cost(model: str) -> None:
    price = TABLE.of(model)
    for batch in (False, True):
        most = price.most(input_tokens=5000, max_tokens=800, batch=batch)
        for split in ((5000, 0, 0), (0, 5000, 0), (0, 0, 5000), (1000, 1500, 2500)):
            usage = Usage(
                input_tokens=split[0], cache_read_tokens=split[1], cache_write_tokens=split[2], output_tokens=800
            )
            assert price.cost(usage, batch=batch) <= most


@pytest.mark.parametrize("model", ["openai:llama-of-mine", "anthropic:stub-model", "openai:whisper-1", "nobody:gpt-5"])
def test_a_model_whose_price_nobody_knows_is_refused_with_the_way_to_give_one(model: str) -> None:
    with pytest.raises(NotConfigured, match="HOLDFAST_PRICES") as caught:
        TABLE.of(model)

    assert model in str(caught.value)


def test_a_price_from_the_environment_wins_over_the_table() -> None:
    prices = Prices.from_json(
        '{"openai:gpt-5": {"input": "0.10", "output": 0.4}, "openai:mine": {"input": 0, "output": 0, "cache_read": 0}}'
    )

    assert prices.of("openai:gpt-5") == Price(input=Decimal("0.10"), output=Decimal("0.4"))
    assert prices.of("openai:mine").cost(Usage(input_tokens=10**6, output_tokens=10**6)) == 0
    assert prices.of("openai:gpt-4o").input == Decimal("2.5")


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[1]",
        '{"openai:m": 3}',
        '{"openai:m": {"input": "0.1"}}',
        '{"openai:m": {"input": "0.1", "output": "cheap"}}',
        '{"openai:m": {"input": "-1", "output": "1"}}',
        '{"openai:m": {"input": "NaN", "output": "1"}}',
        '{"openai:m": {"input": "1", "output": "1", "per_call": "1"}}',
    ],
)
def test_prices_that_cannot_be_read_are_refused_by_name(text: str) -> None:
    with pytest.raises(NotConfigured, match="HOLDFAST_PRICES"):
        Prices.from_json(text)


def test_no_prices_given_is_no_mistake() -> None:
    assert Prices.from_json("").of("openai:gpt-4o").output == Decimal(10)
