"""What large clusters add to an estimate, and whether a generation was told of it."""

import inspect
from decimal import Decimal
from typing import Any

import pytest

from holdfast.api.bodies_codeframes import ConfigBody
from holdfast.cli.generation_commands import generate
from holdfast.cli.money_commands import estimate as estimate_command
from holdfast.codeframe import MAP_ABOVE
from holdfast.errors import BadInput, NotConfigured
from holdfast.llm import Price
from holdfast.service import Estimate, GenerationConfig, check_config
from holdfast.service.estimating import estimate

MODEL = "openai:m"
PRICE = Price(input=Decimal(1), output=Decimal(4))
TEXTS = [f"the food in room {n} was cold and late" for n in range(3000)]


def said(texts: list[str] = TEXTS, **config: Any) -> Estimate:
    return estimate(texts, GenerationConfig(model=MODEL, **config), PRICE, question=None)


def test_the_parts_of_large_clusters_are_calls_of_the_estimate() -> None:
    without, found = said(n_clusters=4, map_above=0), said(n_clusters=4)

    assert (without.n_calls, without.n_maps) == (4, 0)
    assert (found.n_calls, found.n_maps) == (4 + 19, 19)  # 3,000 answers in parts of 200, and one begun in each cluster
    assert found.low_usd > without.low_usd  # four of one size would all be large
    assert found.high_usd > without.high_usd
    # Each answer is read once at most: the parts together are no dearer than all of them and the words around them.
    assert without.input_tokens + 3000 * 10 < found.input_tokens < without.input_tokens + 3000 * 36
    assert found.output_tokens == without.output_tokens + 19 * 1_200


def test_a_cluster_of_any_number_of_answers_has_eight_parts_at_most() -> None:
    many = [f"{text} {n}" for n in range(10) for text in TEXTS]

    assert said(many, n_clusters=2).n_maps == 2 * 8


@pytest.mark.parametrize("review", [False, True])
def test_rows_in_another_order_cost_the_same(review: bool) -> None:
    """Also where all short answers, or all long ones, come first."""
    mixed = [*TEXTS[:700], *(f"{text}, and so it was each time that I came to this place" for text in TEXTS[:900])]
    found = said(mixed, n_clusters=2, review=review)

    assert found.n_maps
    assert found == said(mixed[::-1], n_clusters=2, review=review) == said(sorted(mixed), n_clusters=2, review=review)


def test_where_no_cluster_can_be_large_nothing_is_added() -> None:
    assert said(TEXTS[:500]) == said(TEXTS[:500], map_above=0)
    assert said(TEXTS[:500] * 7) == said(TEXTS[:500] * 7, map_above=0)  # said again, they are the same answers


@pytest.mark.parametrize("config", [{"batch": True}, {"model": "offline"}, {"coding_type": "brand"}, {"whole": True}])
def test_what_reads_no_parts_is_kept_without_a_word_of_them(config: dict[str, Any]) -> None:
    asked = GenerationConfig(**({"model": MODEL} | config))

    assert not asked.maps
    assert "map_above" not in asked.to_json()


def test_a_generation_that_was_kept_before_parts_were_known_reads_none() -> None:
    """Its estimate was without them."""
    kept = GenerationConfig(model=MODEL).to_json()
    before = {name: value for name, value in kept.items() if name != "map_above"}

    assert GenerationConfig.from_json(kept).maps
    assert not GenerationConfig.from_json(before).maps


def test_what_a_newer_release_asks_for_is_not_passed_over() -> None:
    newer = GenerationConfig().to_json() | {"in_rhyme": True}

    with pytest.raises(NotConfigured, match="begun by a newer Holdfast, which knows in_rhyme: upgrade"):
        GenerationConfig.from_json(newer)


def test_a_request_for_no_parts_is_told_from_one_of_a_release_that_knew_none() -> None:
    asked = GenerationConfig(model=MODEL, map_above=0)

    assert asked.to_json()["map_above"] == 0
    assert "map_above" not in asked.older_forms()[0]
    assert GenerationConfig(model="offline").older_forms() == []


def test_every_door_splits_above_the_same_number() -> None:
    commands = [inspect.signature(command).parameters["map_above"].default for command in (generate, estimate_command)]

    assert [*commands, ConfigBody().map_above, GenerationConfig().map_above] == [MAP_ABOVE] * 4


def test_a_number_below_none_is_refused() -> None:
    with pytest.raises(BadInput, match="map_above: must be between 0 and"):
        check_config(GenerationConfig(model=MODEL, map_above=-1))
