"""The review of a whole frame: one more paid call, kept like a label's, and never what a frame depends on."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from tests.integration.service.test_provider_fails import MODELS, begun, check_money, ended, until
from tests.service_worker import working

from holdfast.errors import BadInput
from holdfast.service import Service
from holdfast.stub import StubProvider

# What only the one and only the other kind of prompt holds.
REVIEW = {"contains": '"may_merge"'}
LABEL = {"contains": '"nearby"'}
LABELS = [f"label/{k}" for k in range(4)]


@pytest.fixture
def service(paying: Service) -> Service:
    return paying


async def reviewed(service: Service, **asked: Any) -> UUID:
    return await begun(service, review=True, hierarchy="two_level", **asked)


async def steps(service: Service, generation_id: UUID) -> list[str]:
    """The steps of all calls that were answered."""
    found, _ = await service.costs.calls(generation_id, state="replied")
    return sorted(call.step for call in found)


async def themes(service: Service, generation_id: UUID) -> list[str]:
    nodes = (await service.generations.hierarchy(generation_id)).nodes
    return [node.name for node in nodes if node.node_type == "theme" and node.details["kind"] == "content"]


@pytest.mark.parametrize("model", MODELS)
async def test_a_review_is_one_more_call_whose_themes_the_frame_takes(
    service: Service, provider: StubProvider, model: str
) -> None:
    generation_id = await reviewed(service, model=model)

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.n_completed, status.ledger.n_calls) == ("completed", 4, 5)
    assert await steps(service, generation_id) == [*LABELS, "review"]
    assert all(name.startswith("Theme of") for name in await themes(service, generation_id))
    assert status.estimate is not None
    assert status.estimate["n_calls"] == 5
    assert Decimal(status.estimate["low_usd"]) * Decimal("0.5") <= status.spent_usd
    assert status.spent_usd <= Decimal(status.estimate["high_usd"])
    await check_money(service, provider, generation_id)


async def test_without_being_asked_for_nothing_is_reviewed(service: Service, provider: StubProvider) -> None:
    generation_id = await begun(service, hierarchy="two_level")

    async with working(service):
        await ended(service, generation_id)

    assert await steps(service, generation_id) == LABELS
    assert not any(name.startswith("Theme of") for name in await themes(service, generation_id))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("fault", ["refusal", "truncated_json", "wrong_schema", "max_tokens", "bad_request"])
async def test_a_review_that_brings_nothing_leaves_a_frame_that_says_so_and_can_be_retried(
    service: Service, provider: StubProvider, model: str, fault: str
) -> None:
    provider.faults({"fault": fault, "match": REVIEW})
    generation_id = await reviewed(service, model=model)

    async with working(service):
        first = await ended(service, generation_id)
        names = await themes(service, generation_id)
        await service.steering.retry(generation_id)
        second = await until(service, generation_id, lambda status: status.status == "completed")

    assert (first.status, first.n_completed, first.n_failed) == ("partial", 4, 0)
    assert names
    assert not any(name.startswith("Theme of") for name in names)
    assert any("review" in note for note in (first.result or {})["notes"])
    assert not any("review" in note for note in (second.result or {})["notes"])
    assert all(name.startswith("Theme of") for name in await themes(service, generation_id))
    bought = [*LABELS, "review"] if fault == "bad_request" else [*LABELS, "review", "review/again-1"]
    assert await steps(service, generation_id) == sorted(bought)
    await check_money(service, provider, generation_id)


async def test_what_a_reply_says_of_codes_that_are_not_there_is_left_out(
    service: Service, provider: StubProvider
) -> None:
    one = {"ids": [0, 99, 1, 0], "name": "First", "description": "", "group": ""}
    other = {"ids": [1, 2, 3], "name": "Second", "description": "", "group": ""}
    text = orjson.dumps({"merges": [{"ids": [0, 1], "name": "x", "description": ""}], "themes": [one, other]}).decode()
    provider.faults({"fault": "says", "text": text, "match": REVIEW})
    generation_id = await reviewed(service)

    async with working(service):
        status = await ended(service, generation_id)

    hierarchy = await service.generations.hierarchy(generation_id)
    codes = [node for node in hierarchy.nodes if node.node_type == "code" and node.details["kind"] == "content"]
    assert (status.status, len(codes)) == ("completed", 4)
    assert sorted(await themes(service, generation_id)) == ["First", "Second"]
    assert hierarchy.n_assigned == status.n_answers


async def test_labels_that_are_bought_later_are_reviewed_with_the_others(
    service: Service, provider: StubProvider
) -> None:
    provider.faults({"fault": "refusal", "match": LABEL})
    generation_id = await reviewed(service)

    async with working(service):
        first = await ended(service, generation_id)
        await service.steering.retry(generation_id)
        second = await until(service, generation_id, lambda status: status.status == "completed")

    assert (first.status, first.n_completed, second.n_completed) == ("partial", 3, 4)
    assert len(provider.bill().calls) == 4 + 1 + 1 + 1
    assert (await steps(service, generation_id)).count("review") == 2
    await check_money(service, provider, generation_id)


async def test_a_failed_review_after_a_failed_label_is_retried_without_a_stuck_unit(
    service: Service, provider: StubProvider
) -> None:
    provider.faults({"fault": "refusal", "match": LABEL})
    generation_id = await reviewed(service)

    async with working(service):
        await ended(service, generation_id)
        provider.faults({"fault": "refusal", "match": REVIEW})
        await service.steering.retry(generation_id)
        second = await ended(service, generation_id)
        await service.steering.retry(generation_id)
        third = await ended(service, generation_id)

    assert (second.status, second.n_failed, third.status) == ("partial", 0, "completed")
    await check_money(service, provider, generation_id)


async def test_a_budget_for_the_labels_alone_pauses_before_the_review(service: Service, provider: StubProvider) -> None:
    provider.faults({"fault": "quota", "match": REVIEW})
    generation_id = await reviewed(service)

    async with working(service):
        paused = await until(service, generation_id, lambda status: status.status == "paused")
        bought = await steps(service, generation_id)
        await service.steering.resume(generation_id)
        status = await ended(service, generation_id)

    assert (bought, paused.phase, paused.n_completed) == (LABELS, "review", 4)
    assert status.status == "completed"
    await check_money(service, provider, generation_id)


async def test_labels_of_a_batch_are_reviewed_too(service: Service, provider: StubProvider) -> None:
    generation_id = await reviewed(service, batch=True)

    async with working(service):
        status = await ended(service, generation_id)

    assert status.status == "completed"
    assert await steps(service, generation_id) == [*LABELS, "review"]
    await check_money(service, provider, generation_id)


async def test_there_is_no_review_without_a_model(service: Service) -> None:
    with pytest.raises(BadInput, match="review: only a model"):
        await reviewed(service, model="offline")
