"""Brands and sentiments that a model codes: each bundle a paid step, and only what is missing asked for again."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from tests.integration.service.test_provider_fails import MODELS, check_money, ended, until
from tests.service_worker import working

from holdfast.errors import BadInput
from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service
from holdfast.stub import StubProvider

SAID = ("Friendly staff on day {n}", "A rude answer at desk {n}", "Good food but slow, table {n}", "Room {n}")
TEXTS = [SAID[n % 4].format(n=n) for n in range(100)]  # three bundles: 40, 40 and 20
STEPS = ["code/0", "code/1", "code/2"]
SIZES = {"Positive": 25, "Negative": 25, "Neutral or mixed": 50}


@pytest.fixture
def service(paying: Service) -> Service:
    return paying


async def begun(
    service: Service,
    *,
    texts: Sequence[str] = TEXTS,
    coding_type: str = "sentiment",
    model: str = MODELS[0],
    budget: str | None = None,
    **config: Any,
) -> UUID:
    category = await service.imports.add_category(name="coding")
    await service.imports.import_rows(category.id, [IncomingRow(text=text) for text in texts])
    request = GenerationRequest(
        category_id=category.id,
        config=GenerationConfig(coding_type=coding_type, model=model, **config),
        budget=None if budget is None else Decimal(budget),
    )
    return (await service.generations.start(request)).generation.id


async def steps(service: Service, generation_id: UUID) -> list[str]:
    """The steps of all calls that were answered."""
    found, _ = await service.costs.calls(generation_id, state="replied")
    return sorted(call.step for call in found)


async def sizes(service: Service, generation_id: UUID) -> dict[str, int]:
    """Answers of each code that has any."""
    nodes = (await service.generations.hierarchy(generation_id)).nodes
    return {node.name: node.n_answers for node in nodes if node.node_type == "code" and node.n_answers}


def notes(status: Any) -> str:
    return " ".join((status.result or {})["notes"])


@pytest.mark.parametrize("model", MODELS)
async def test_every_answer_gets_the_model_s_sentiment_for_one_call_a_bundle(
    service: Service, provider: StubProvider, model: str
) -> None:
    generation_id = await begun(service, model=model)

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.progress, status.ledger.n_calls) == ("completed", 100, 3)
    assert await steps(service, generation_id) == STEPS
    assert await sizes(service, generation_id) == SIZES
    assert notes(status) == ""
    assert status.estimate is not None
    assert status.estimate["n_calls"] == 3
    assert Decimal(status.estimate["low_usd"]) * Decimal("0.5") <= status.spent_usd
    assert status.spent_usd <= Decimal(status.estimate["high_usd"])
    await check_money(service, provider, generation_id)


async def test_brands_come_from_the_model_but_for_what_needs_none(service: Service, provider: StubProvider) -> None:
    texts = [*["Coke"] * 6, *["pepsi, Coca-Cola"] * 5, *["Fanta and pepsi"] * 5, "asdf", "don't know", "x"]
    generation_id = await begun(service, texts=texts, coding_type="brand", existing_codes=("Coca-Cola (Coke)",))

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.ledger.n_calls) == ("completed", 1)
    found = await sizes(service, generation_id)
    assert {name: found[name] for name in ("Coca-Cola", "Pepsi", "Fanta")} == {"Coca-Cola": 11, "Pepsi": 10, "Fanta": 5}
    (call,) = provider.bill().calls
    prompt = provider.bill().prompts[call.prompt_digest]
    assert "pepsi, Coca-Cola" in prompt
    assert not any(f'"text": "{text}"' in prompt for text in ("Coke", "asdf", "don't know", "x"))
    await check_money(service, provider, generation_id)


# Fault of the first call -> the steps that are answered besides the bundles' own.
CURED = {
    "missing_ids": ["code/0.1"],
    "invented_ids": [],
    "truncated_json": ["code/0.1"],
    "max_tokens": ["code/0.1"],
    "refusal": ["code/0.1", "code/0.2"],  # whatever was refused may be in one half
    "wrong_schema": ["code/0.1", "code/0.2"],
}


@pytest.mark.parametrize("fault", CURED)
async def test_what_a_reply_leaves_out_is_asked_for_again_and_nothing_else(
    service: Service, provider: StubProvider, fault: str
) -> None:
    first, second = sorted(TEXTS)[0], sorted(TEXTS)[39]
    provider.faults({"fault": fault, "match": {"contains": f'"{first}"'}})
    generation_id = await begun(service)

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.n_failed, notes(status)) == ("completed", 0, "")
    assert await steps(service, generation_id) == sorted(STEPS + CURED[fault])
    assert await sizes(service, generation_id) == SIZES
    assert len(provider.calls_for(f'"{second}"')) == 1 + bool(CURED[fault])
    assert len(provider.calls_for(f'"{first}"')) == (2 if fault in {"refusal", "wrong_schema"} else 1)
    await check_money(service, provider, generation_id)


async def test_what_is_never_answered_is_visible_in_other(service: Service, provider: StubProvider) -> None:
    last = sorted(TEXTS)[39]
    provider.faults({"fault": "missing_ids", "times": None, "match": {"contains": f'"{last}"'}})
    generation_id = await begun(service)

    async with working(service):
        status = await ended(service, generation_id)

    assert status.status == "completed"
    assert await steps(service, generation_id) == ["code/0", "code/0.1", "code/0.1.1", "code/1", "code/2"]
    found = await sizes(service, generation_id)
    assert found["Other"] == 5
    assert sum(found.values()) == len(TEXTS)
    assert "no usable reading of 5 answers" in notes(status)
    await check_money(service, provider, generation_id)


async def test_a_bundle_that_brings_nothing_is_retried_and_the_others_are_not_paid_again(
    service: Service, provider: StubProvider
) -> None:
    mine = [text for n, text in enumerate(sorted(TEXTS)) if n < 40]
    provider.faults(*({"fault": "refusal", "times": None, "match": {"contains": f'"{text}"'}} for text in mine))
    generation_id = await begun(service)

    async with working(service):
        first = await ended(service, generation_id)
        other = (await sizes(service, generation_id))["Other"]
        before = len(provider.bill().calls)
        provider.no_faults()
        await service.steering.retry(generation_id)
        second = await until(service, generation_id, lambda status: status.status == "completed")

    assert (first.status, first.failed_stages, other) == ("partial", {"code"}, 40)
    assert "no usable reading of 40 answers" in notes(first)
    assert before == 2 + 1 + 2 + 4
    assert len(provider.bill().calls) == before + 1
    assert await sizes(service, generation_id) == SIZES
    assert (notes(second), second.failed_stages) == ("", frozenset())
    await check_money(service, provider, generation_id)


async def test_without_any_reading_it_fails_and_says_why(service: Service, provider: StubProvider) -> None:
    provider.faults({"fault": "bad_request", "times": None})
    generation_id = await begun(service)

    async with working(service):
        status = await ended(service, generation_id)

    assert status.status == "failed"
    assert status.error is not None
    assert status.error["code"] == "nothing_coded"
    assert "none of the 3 bundles of answers could be coded" in status.error["message"]
    assert status.ledger.spent == 0


async def test_a_used_up_budget_pauses_it_and_it_goes_on_where_it_was(service: Service, provider: StubProvider) -> None:
    whole = await begun(service)
    async with working(service):
        cost = (await ended(service, whole)).spent_usd
    generation_id = await begun(service, budget=f"{cost * Decimal('0.7'):f}")

    async with working(service):
        paused = await until(service, generation_id, lambda status: status.status == "paused")
        assert paused.error is not None
        bought = await steps(service, generation_id)
        await service.steering.resume(generation_id, budget=Decimal(1))
        status = await ended(service, generation_id)

    assert (paused.error["code"], paused.phase) == ("budget_used_up", "code")
    assert len(bought) < 3
    assert 5 <= paused.progress < 90
    assert await steps(service, generation_id) == STEPS
    assert (status.status, len(provider.bill().calls)) == ("completed", 6)


async def test_bundles_of_a_batch_cost_half_and_only_what_is_missing_is_bought_alone(
    service: Service, provider: StubProvider
) -> None:
    alone = await begun(service)
    async with working(service):
        full = (await ended(service, alone)).spent_usd
        first = sorted(TEXTS)[0]
        provider.faults({"fault": "missing_ids", "match": {"contains": f'"{first}"'}})
        generation_id = await begun(service, batch=True)
        status = await ended(service, generation_id)

    calls = provider.bill().calls[3:]
    assert (status.status, notes(status)) == ("completed", "")
    assert await steps(service, generation_id) == sorted([*STEPS, "code/0.1"])
    assert Counter(call.batch_id is None for call in calls) == {False: 3, True: 1}
    assert sum(call.usd for call in calls if call.batch_id) < full * Decimal("0.55")
    assert await sizes(service, generation_id) == SIZES
    assert status.estimate is not None
    assert status.spent_usd <= Decimal(status.estimate["high_usd"]) * 2


async def test_there_is_nothing_to_review_in_a_coding(service: Service) -> None:
    with pytest.raises(BadInput, match="review: sentiment coding finds no themes"):
        await begun(service, review=True)


TOPICS = {
    "Long waits": "The waiting time was far too long, {n} minutes",
    "Friendly staff": "Staff were friendly and very kind to me {n}",
    "Parking": "Parking is expensive, I paid {n} pounds",
    "Cold food": "The food was cold and had no taste {n}",
}
ANSWERS = [list(TOPICS.values())[n % 4].format(n=n) for n in range(60)]  # two bundles: 40 and 20
LABELS = [f"label/{k}" for k in range(4)]


async def coded(service: Service, generation_id: UUID) -> dict[str, set[str]]:
    """Which of the four topics each code's answers are about, by their examples."""
    nodes = (await service.generations.hierarchy(generation_id)).nodes
    codes = [node for node in nodes if node.node_type == "code" and node.details["kind"] == "content"]
    return {node.name: {example["text"].split()[1] for example in node.examples} for node in codes}


@pytest.mark.parametrize("batch", [False, True])
async def test_a_model_codes_every_answer_against_the_finished_frame(
    service: Service, provider: StubProvider, batch: bool
) -> None:
    generation_id = await begun(
        service, texts=ANSWERS, coding_type="open-ended", n_clusters=4, code_answers=True, batch=batch
    )

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.n_completed, status.ledger.n_calls) == ("completed", 4, 6)
    assert await steps(service, generation_id) == ["code/0", "code/1", *LABELS]
    assert {call.batch_id is not None for call in provider.bill().calls} == {batch}
    topics = await coded(service, generation_id)
    assert sorted(map(sorted, topics.values())) == [["food"], ["is"], ["waiting"], ["were"]]
    prompt = provider.bill().prompts[
        provider.calls_for('"Staff were friendly and very kind to me 1"')[-1].prompt_digest
    ]
    assert all(f'"name": "{name}"' in prompt for name in topics)
    assert status.estimate is not None
    assert status.estimate["n_calls"] == 6
    assert Decimal(status.estimate["low_usd"]) * Decimal("0.5") <= status.spent_usd
    assert status.spent_usd <= Decimal(status.estimate["high_usd"])
    await check_money(service, provider, generation_id)


async def test_a_label_that_is_bought_later_has_the_answers_coded_against_the_new_frame(
    service: Service, provider: StubProvider
) -> None:
    provider.faults({"fault": "refusal", "match": {"contains": '"nearby"'}})
    generation_id = await begun(
        service, texts=ANSWERS, coding_type="open-ended", n_clusters=4, code_answers=True, review=True, batch=True,
        hierarchy="two_level",
    )  # fmt: skip

    async with working(service):
        first = await ended(service, generation_id)
        before = await coded(service, generation_id)
        await service.steering.retry(generation_id)
        second = await until(service, generation_id, lambda status: status.status == "completed")

    assert (first.status, first.n_completed, second.n_completed) == ("partial", 3, 4)
    assert (len(before), len(await coded(service, generation_id))) == (3, 4)
    assert Counter(await steps(service, generation_id)) == Counter(
        {"code/0": 2, "code/1": 2, "review": 2, "label/0": 1, "label/1": 1, "label/2": 1, "label/3": 1}
    ) + Counter(step for step in await steps(service, generation_id) if "again" in step)
    hierarchy = await service.generations.hierarchy(generation_id)
    assert hierarchy.n_assigned == len(ANSWERS)
    await check_money(service, provider, generation_id)


async def test_a_bundle_that_fails_leaves_the_frame_and_its_answers_in_other(
    service: Service, provider: StubProvider
) -> None:
    provider.faults({"fault": "bad_request", "match": {"contains": f'"{sorted(ANSWERS)[59]}"', "nth": 2}})
    generation_id = await begun(service, texts=ANSWERS, coding_type="open-ended", n_clusters=4, code_answers=True)

    async with working(service):
        first = await ended(service, generation_id)
        other = (await sizes(service, generation_id)).get("Other")
        await service.steering.retry(generation_id)
        second = await until(service, generation_id, lambda status: status.status == "completed")

    assert (first.status, first.failed_stages, other) == ("partial", {"code"}, 20)
    assert "Other" not in await sizes(service, generation_id)
    assert await steps(service, generation_id) == ["code/0", "code/1", *LABELS]
    assert notes(second) == ""
    await check_money(service, provider, generation_id)


async def test_answers_are_coded_one_by_one_by_a_model_only(service: Service) -> None:
    with pytest.raises(BadInput, match="code_answers: only a model"):
        await begun(service, coding_type="open-ended", model="offline", code_answers=True)
    with pytest.raises(BadInput, match="code_answers: brand coding by a model is just that"):
        await begun(service, coding_type="brand", code_answers=True)
