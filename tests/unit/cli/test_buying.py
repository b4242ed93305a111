"""What is said before money is spent, and of what it did not bring."""

import inspect
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.cli.statuses import status
from typer.testing import CliRunner

from holdfast.cli.app import app
from holdfast.cli.buying import told
from holdfast.cli.driving import incomplete
from holdfast.cli.generation_commands import generate
from holdfast.cli.money_commands import estimate
from holdfast.cli.orders import usd
from holdfast.errors import BadInput
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


def test_an_estimate_says_how_many_calls_read_parts_of_large_codes() -> None:
    said = replace(SAID, n_calls=24, n_maps=19)

    assert told(said, GenerationConfig(model="openai:m", review=True)).startswith(
        "up to 4 labels and a review, with up to 19 calls to read large codes in parts, from openai:m: "
    )
    assert told(said, GenerationConfig(model="openai:m", code_answers=True)).startswith("up to 24 calls for labels and")


def test_an_estimate_says_that_vectors_are_bought() -> None:
    bought = told(SAID, GenerationConfig(), embedder="openai:vectors")
    beside = told(SAID, GenerationConfig(model="anthropic:m"), embedder="openai:vectors")
    without = told(SAID, GenerationConfig(model="anthropic:m", coding_type="brand"), embedder="openai:vectors")

    assert bought == "3 calls for the answers' vectors from openai:vectors: $0.0100 to $0.0200"
    assert beside.startswith("up to 3 calls for anthropic:m and for the answers' vectors from openai:vectors: ")
    assert "vectors" not in without


def test_what_an_openai_embedder_costs_is_estimated_without_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_EMBEDDER", "openai:text-embedding-3-small")
    file = tmp_path / "answers.csv"
    file.write_text("answer\n" + "".join(f"the food in room {n} was cold\n" for n in range(250)), encoding="utf-8")

    done = CliRunner().invoke(app, ["estimate", str(file), "--model", "offline"])

    assert done.exit_code == 0, done.output
    assert "2 calls for the answers' vectors from openai:text-embedding-3-small" in " ".join(done.output.split())


def test_a_partial_generation_says_what_is_missing() -> None:
    assert incomplete(status(n_failed=2, failed_stages=frozenset({"label"}))).startswith("2 clusters could not")
    assert "review" in incomplete(status(failed_stages=frozenset({"review"})))
    assert "bundles of answers" in incomplete(status(failed_stages=frozenset({"code"})))


def estimated(file: Path, *options: str) -> tuple[int, int]:
    """Tokens in and out."""
    done = CliRunner().invoke(app, ["estimate", str(file), "--model", "openai:gpt-4o-mini", *options])
    assert done.exit_code == 0, done.output
    tokens = re.search(r"at most ([\d,]+) tokens in and ([\d,]+) out", " ".join(done.output.split()))
    assert tokens, done.output
    first, second = (int(each.replace(",", "")) for each in tokens.groups())
    return first, second


def test_an_estimate_counts_the_codes_that_go_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    file = tmp_path / "answers.csv"
    file.write_text("answer\n" + "".join(f"the food in room {n} was cold\n" for n in range(30)), encoding="utf-8")
    options = [f"--existing-code=Very long name of a code number {n}" for n in range(20)]

    (plain, _), (longer, _) = estimated(file, "--clusters", "2"), estimated(file, "--clusters", "2", *options)

    assert longer > plain + 2 * 20 * 5  # in the prompt of each of the two clusters


def test_what_makes_a_generation_dearer_can_be_told_the_estimate() -> None:
    free = {"out", "id_column", "min_samples", "seed", "budget", "in_doubt", "yes", "no_progress"}
    free |= {"examples", "frame_of"}  # coding with codes there are is offline
    assert set(inspect.signature(generate).parameters) - set(inspect.signature(estimate).parameters) == free


@pytest.mark.parametrize("given", ["-1", "many", "1e30", "0.0000001", "nan"])
def test_a_budget_that_is_no_amount_is_refused(given: str) -> None:
    with pytest.raises(BadInput, match="US dollars"):
        usd(given)


def test_an_amount_is_read_as_a_person_writes_it() -> None:
    assert [usd(given) for given in ("15", "$0.25", " 0.000001 ", None)] == [
        Decimal(15),
        Decimal("0.25"),
        Decimal("0.000001"),
        None,
    ]
