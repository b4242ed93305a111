"""Embeddings as OpenAI sends them: in whatever order, and only those that were asked for."""

from typing import Any

import pytest

from holdfast.errors import ProviderUnclear
from holdfast.llm.embeddings import MOST_TOKENS, count_embedded, embedded_of, embedding_params
from holdfast.llm.pricing import Prices
from holdfast.llm.tokens import count_tokens

TEXTS = ["kind staff", "cold food"]
GOOD: dict[str, Any] = {
    "data": [{"index": 1, "embedding": [0.0, 2.0]}, {"index": 0, "embedding": [1, 0.5]}],
    "usage": {"prompt_tokens": 4, "total_tokens": 4},
}


def test_vectors_come_back_in_the_order_of_the_texts() -> None:
    found = embedded_of(GOOD, TEXTS)

    assert found.vectors == ((1.0, 0.5), (0.0, 2.0))
    assert (found.usage.input_tokens, found.usage.output_tokens) == (4, 0)


def test_a_reply_without_usage_is_counted_here() -> None:
    assert embedded_of({"data": GOOD["data"]}, TEXTS).usage.input_tokens == count_embedded(TEXTS)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        GOOD["data"][:1],
        [*GOOD["data"], GOOD["data"][0]],
        [*GOOD["data"], {"index": 2, "embedding": [1.0, 1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": ["x"]}],
        [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
        [{"index": 0, "embedding": [float("nan")]}, {"index": 1, "embedding": [1.0]}],
        [{"index": 0}, {"index": 1}],
        [{"index": float("inf"), "embedding": [1.0]}, {"index": 1, "embedding": [1.0]}],
        "no list",
    ],
)
def test_a_reply_with_other_vectors_than_were_asked_for_has_cost_what_it_says_or_is_in_doubt(data: Any) -> None:
    found = embedded_of({**GOOD, "data": data}, TEXTS)

    assert (found.vectors, found.usage.input_tokens) == ((), 4)
    assert "embeddings" in found.wrong
    with pytest.raises(ProviderUnclear, match="embeddings"):
        embedded_of({"data": data, "usage": {"prompt_tokens": "?"}}, TEXTS)


def test_a_text_too_long_for_the_model_is_asked_about_by_its_beginning() -> None:
    text = "We waited for hours. " * 5000

    (asked,) = embedding_params([text], model="m")["input"]

    assert text.startswith(asked)
    assert MOST_TOKENS // 2 < count_tokens(asked) <= MOST_TOKENS
    assert count_embedded([text]) == count_tokens(asked)


def test_the_table_has_prices_of_models_that_bill_no_output() -> None:
    price = Prices({}).of("openai:text-embedding-3-small", speaks=False)

    assert price.input > 0
    assert price.output == 0
