"""Large clusters are read in parts before they are labelled: each part a paid step, and none of them paid twice."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from tests.integration.service.test_provider_fails import MODELS, begun, check_money, ended, failures, until
from tests.integration.service.test_review import LABELS, steps
from tests.service_worker import working

from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service
from holdfast.stub import StubProvider

# Fifteen different answers in each of the four clusters: all of them are large, and have two parts.
ABOVE = 10
MAPS = [f"{label}/map/{place}" for label in LABELS for place in range(2)]
ALL = sorted([*LABELS, *MAPS])
MAP, REDUCE = {"contains": "example_ids: "}, {"contains": '"points"'}


@pytest.fixture
def service(paying: Service) -> Service:
    return paying


async def in_parts(service: Service, **asked: Any) -> UUID:
    return await begun(service, map_above=ABOVE, **asked)


def prompts(provider: StubProvider, marked: str) -> int:
    """How many calls were billed whose prompt has the text."""
    return len(provider.bill().calls_for(marked))


@pytest.mark.parametrize("model", MODELS)
async def test_each_part_of_a_large_cluster_is_a_call_and_the_label_is_made_of_what_was_found(
    service: Service, provider: StubProvider, model: str
) -> None:
    generation_id = await in_parts(service, model=model)

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.n_completed, status.ledger.n_calls) == ("completed", 4, 12)
    assert await steps(service, generation_id) == ALL
    # Both parts of each cluster are among the points of its label's prompt, with what they were counted to be of.
    assert prompts(provider, '"name": "About waiting",\n"description": "They speak of waiting."') == 1
    assert (prompts(provider, '"of": 7,'), prompts(provider, '"of": 8,')) == (4, 4)
    assert status.estimate is not None
    assert status.estimate["n_calls"] - status.estimate["n_maps"] == 4
    assert status.estimate["n_maps"] >= 8
    assert Decimal(status.estimate["low_usd"]) * Decimal("0.5") <= status.spent_usd
    assert status.spent_usd <= Decimal(status.estimate["high_usd"])
    await check_money(service, provider, generation_id)


async def test_in_a_batch_no_cluster_is_read_in_parts(service: Service, provider: StubProvider) -> None:
    generation_id = await in_parts(service, batch=True)

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, await steps(service, generation_id)) == ("completed", LABELS)
    assert (status.estimate or {})["n_maps"] == 0


@pytest.mark.parametrize("model", MODELS)
async def test_a_bad_reply_for_a_label_is_bought_anew_only_by_a_retry_and_alone(
    service: Service, provider: StubProvider, model: str
) -> None:
    provider.faults({"fault": "wrong_schema", "match": REDUCE})
    generation_id = await in_parts(service, model=model)

    async with working(service):
        first = await ended(service, generation_id)
        why = await failures(service, generation_id)
        await service.steering.retry(generation_id)
        second = await until(service, generation_id, lambda status: status.status == "completed")

    assert (first.status, first.n_completed, first.n_failed, why) == ("partial", 3, 1, ["bad_reply_wrong_schema"])
    found = await steps(service, generation_id)
    assert [step for step in found if "again" not in step] == ALL
    assert [bool(re.fullmatch(r"label/\d/again-1", step)) for step in found if "again" in step] == [True]
    assert (second.n_completed, list(provider.bill().paid_twice.values())) == (4, [2])
    await check_money(service, provider, generation_id)


async def test_a_part_whose_reply_cannot_be_used_costs_no_cluster_its_label(
    service: Service, provider: StubProvider
) -> None:
    provider.faults({"fault": "wrong_schema", "match": MAP})
    generation_id = await in_parts(service)

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.n_completed, status.n_failed) == ("completed", 4, 0)
    notes = ((await service.generations.get(generation_id)).result or {})["notes"]
    assert [note for note in notes if "1 parts of 1 large clusters could not be read" in note]
    assert (await steps(service, generation_id), provider.bill().paid_twice) == (ALL, {})
    await check_money(service, provider, generation_id)


async def test_where_every_part_was_refused_a_retry_buys_each_anew_once(
    service: Service, provider: StubProvider
) -> None:
    provider.faults({"fault": "refusal", "times": len(MAPS), "match": MAP})
    generation_id = await in_parts(service)

    async with working(service):
        first = await ended(service, generation_id)
        bought = await steps(service, generation_id)
        await service.steering.retry(generation_id)
        second = await until(service, generation_id, lambda status: status.status == "completed")

    assert (first.status, second.status) == ("failed", "completed")
    assert bought == sorted(MAPS)
    assert await steps(service, generation_id) == sorted([*ALL, *(f"{step}/again-1" for step in MAPS)])


async def test_a_budget_that_is_used_up_between_two_parts_pauses_and_pays_none_of_them_again(
    service: Service, provider: StubProvider
) -> None:
    generation_id = await in_parts(service, budget="0.022")

    async with working(service):
        paused = await until(service, generation_id, lambda status: status.status == "paused")
        bought = await steps(service, generation_id)
        await service.steering.resume(generation_id, budget=Decimal(5))
        status = await ended(service, generation_id)

    assert (paused.error or {})["code"] == "budget_used_up"
    assert bought
    assert set(bought) < set(MAPS)
    assert (status.status, status.ledger.n_calls) == ("completed", 12)
    assert provider.bill().paid_twice == {}
    assert await steps(service, generation_id) == ALL
    await check_money(service, provider, generation_id)


@pytest.mark.parametrize(("key", "more"), [(None, 0), ("k", 0), ("k", 1)])
async def test_what_a_release_that_knew_no_parts_has_begun_is_found_and_not_bought_again(
    service: Service, monkeypatch: pytest.MonkeyPatch, key: str | None, more: int
) -> None:
    category = await service.imports.add_category(name="upgraded")
    await service.imports.import_rows(category.id, [IncomingRow(text=f"answer {n}") for n in range(20)])
    config = GenerationConfig(n_clusters=4, model=MODELS[0])
    request = GenerationRequest(category_id=category.id, config=config, idempotency_key=key)
    before = {name: value for name, value in config.to_json().items() if name != "map_above"}
    with monkeypatch.context() as old_release:
        old_release.setattr(GenerationConfig, "to_json", lambda _: before)
        begun = await service.generations.start(request)
    if more:
        await service.imports.import_rows(category.id, [IncomingRow(text="one more")])

    again = await service.generations.start(request)
    other = await service.generations.start(replace(request, config=replace(config, seed=1), idempotency_key=None))

    assert (begun.new, again.new, again.generation.id) == (True, False, begun.generation.id)
    assert "map_above" not in again.generation.config
    assert other.new
