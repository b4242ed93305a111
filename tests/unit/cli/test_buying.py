"""What is said before money is spent, and of what it did not bring."""

from decimal import Decimal

import pytest
from tests.unit.cli.statuses import status

from holdfast.cli.buying import told
from holdfast.cli.driving import incomplete
from holdfast.service import Estimate, GenerationConfig

SAID = Estimate(low_usd=Decimal("0.01"), high_usd=Decimal("0.02"), n_calls=3)


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (GenerationConfig(model="openai:m", n_clusters=3), "3 labels from openai:m: $0.0100 to $0.0200"),
        (GenerationConfig(model="openai:m", review=True), "up to 2 labels and a review from openai:m: "),
        (GenerationConfig(model="openai:m", code_answers=True), "up to 3 calls for labels and all answers from "),
        (GenerationConfig(model="openai:m", whole=True), "one call for all answers from openai:m: "),
        (GenerationConfig(model="openai:m", coding_type="brand"), "3 calls for the brand coding from openai:m: "),
        (
            GenerationConfig(model="openai:m", coding_type="sentiment", batch=True),
            "3 calls for the sentiment coding from openai:m, as a batch at half the price: ",
        ),
    ],
)
def test_an_estimate_says_what_is_bought(config: GenerationConfig, line: str) -> None:
    assert told(SAID, config).startswith(line)


def test_a_partial_generation_says_what_is_missing() -> None:
    assert incomplete(status(n_failed=2, failed_stages=frozenset({"label"}))).startswith("2 clusters could not")
    assert "review" in incomplete(status(failed_stages=frozenset({"review"})))
    assert "bundles of answers" in incomplete(status(failed_stages=frozenset({"code"})))
