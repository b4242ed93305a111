"""A small survey whole in one prompt: one paid call makes the frame and codes the answers."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from tests.integration.service.test_provider_fails import MODELS, check_money, ended, until
from tests.service_worker import working

from holdfast.errors import BadInput, Conflict
from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service
from holdfast.stub import StubProvider

SAID = ("The wait was long {n}", "The staff smiled {n}", "The parking costs too much {n}", "The food is cold {n}")
TEXTS = [*(SAID[n % 4].format(n=n) for n in range(56)), "don't know", "", "The wait was long 0", "asdfasdf"]
SIZES = {"About wait": 15, "About staff": 14, "About parking": 14, "About food": 14}


@pytest.fixture
def service(paying: Service) -> Service:
    return paying


async def begun(service: Service, texts: Sequence[str] = TEXTS, *, model: str = MODELS[0], **config: Any) -> UUID:
    category = await service.imports.add_category(name="whole", question="What should be better?")
    await service.imports.import_rows(category.id, [IncomingRow(text=text) for text in texts])
    asked = GenerationConfig(model=model, whole=True, **config)
    return (await service.generations.start(GenerationRequest(category_id=category.id, config=asked))).generation.id


async def sizes(service: Service, generation_id: UUID) -> dict[str, int]:
    """Answers of each content code."""
    nodes = (await service.generations.hierarchy(generation_id)).nodes
    return {
        node.name: node.n_answers for node in nodes if node.node_type == "code" and node.details["kind"] == "content"
    }


@pytest.mark.parametrize("model", MODELS)
async def test_one_call_makes_the_frame_and_codes_every_answer(
    service: Service, provider: StubProvider, model: str
) -> None:
    generation_id = await begun(service, model=model, hierarchy="two_level")

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.progress, status.ledger.n_calls) == ("completed", 100, 1)
    assert await sizes(service, generation_id) == SIZES
    hierarchy = await service.generations.hierarchy(generation_id)
    themes = [node.name for node in hierarchy.nodes if node.node_type == "theme"]
    assert themes == ["Words with w", "Words with f", "Words with p", "Words with s", "No content"]
    assert hierarchy.n_assigned == len(TEXTS)
    assert status.estimate is not None
    assert status.estimate["n_calls"] == 1
    assert Decimal(status.estimate["low_usd"]) * Decimal("0.5") <= status.spent_usd
    assert status.spent_usd <= Decimal(status.estimate["high_usd"])
    await check_money(service, provider, generation_id)


@pytest.mark.parametrize("fault", ["refusal", "truncated_json", "wrong_schema", "max_tokens"])
async def test_a_reply_that_is_no_frame_fails_it_with_the_reason_and_a_retry_asks_once_more(
    service: Service, provider: StubProvider, fault: str
) -> None:
    provider.faults({"fault": fault})
    generation_id = await begun(service)

    async with working(service):
        first = await ended(service, generation_id)
        await service.steering.retry(generation_id)
        second = await until(service, generation_id, lambda status: status.status == "completed")

    assert (first.status, (first.error or {})["unit"]) == ("failed", "whole")
    assert (second.ledger.n_calls, len(provider.bill().calls)) == (2, 2)
    assert await sizes(service, generation_id) == SIZES
    await check_money(service, provider, generation_id)


async def test_a_survey_that_one_prompt_cannot_hold_is_refused_before_anything_is_started(service: Service) -> None:
    with pytest.raises(BadInput, match="one prompt holds 150 different answers, and here are 151"):
        await begun(service, [f"The wait was long {n}" for n in range(151)])
    for asked in ({"model": "offline"}, {"batch": True}, {"hierarchy": "three_level"}, {"coding_type": "brand"}):
        with pytest.raises(BadInput, match="whole"):
            await begun(service, **asked)


async def test_suggestions_for_a_survey_without_vectors_are_refused(service: Service) -> None:
    generation_id = await begun(service)
    async with working(service):
        await ended(service, generation_id)

    with pytest.raises(Conflict, match="no vectors"):
        await service.suggesting.suggest(generation_id, n=5)


async def test_a_frame_without_codes_is_not_used_again(service: Service) -> None:
    generation_id = await begun(service, ["don't know"] * 12)
    async with working(service):
        await ended(service, generation_id)
    category = (await service.generations.get(generation_id)).category_id
    again = GenerationRequest(category_id=category, config=GenerationConfig(frame_of=str(generation_id)))

    with pytest.raises(Conflict, match="no code but Other"):
        await service.generations.start(again)
