"""Vectors that a provider makes: each chunk a paid step, on the ledger and in the estimate, and bought once."""

import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from tests.integration.service.test_provider_fails import check_money, ended, failures, until
from tests.service_worker import working

from holdfast.errors import BadInput, Conflict, NotConfigured
from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service, open_service
from holdfast.service.embedders import asked_of, sized
from holdfast.service.embedding_work import stored_vectors
from holdfast.settings import Settings
from holdfast.stub import StubProvider

EMBEDDER = "openai:text-embedding-3-small"
TOPICS = ("The parking is dear {n}", "Nurses were kind to us {n}", "Cold food again {n}", "We waited for hours {n}")
ROWS = 450  # three chunks


@pytest.fixture
async def service(
    redis_url: str, database_url: str, provider: StubProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    for name, value in provider.environment().items():
        monkeypatch.setenv(name, value)
    settings = Settings(
        redis_url_given=redis_url,
        database_url=database_url,
        home=tmp_path,
        reconcile_seconds=0.2,
        call_seconds=3.0,
        embedder=EMBEDDER,
        prices={EMBEDDER: {"input": "3", "output": "15"}},
    )
    async with open_service(settings) as opened:
        yield opened


async def begun(service: Service, *, budget: str | None = None, **config: Any) -> UUID:
    category = await service.imports.add_category(name="vectors")
    await service.imports.import_rows(category.id, [IncomingRow(text=TOPICS[n % 4].format(n=n)) for n in range(ROWS)])
    request = GenerationRequest(
        category_id=category.id,
        config=GenerationConfig(**{"n_clusters": 4, **config}),
        budget=None if budget is None else Decimal(budget),
    )
    return (await service.generations.start(request)).generation.id


async def steps(service: Service, generation_id: UUID) -> list[str]:
    calls, _ = await service.costs.calls(generation_id, state="replied")
    return sorted(call.step for call in calls if call.model == EMBEDDER)


async def test_answers_are_grouped_by_vectors_that_cost_what_was_estimated(
    service: Service, provider: StubProvider, tmp_path: Path
) -> None:
    generation_id = await begun(service)

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.n_completed) == ("completed", 4)
    assert await steps(service, generation_id) == ["embed/0", "embed/1", "embed/2"]
    assert len(provider.bill().calls) == 3
    assert status.estimate is not None
    assert status.estimate["n_calls"] == 3
    assert Decimal(status.estimate["low_usd"]) <= status.spent_usd <= Decimal(status.estimate["high_usd"])
    assert status.spent_usd > 0
    await check_money(service, provider, generation_id)
    hierarchy = await service.generations.hierarchy(generation_id)
    sizes = sorted(node.n_answers for node in hierarchy.nodes if node.number is not None and node.number < 900)
    assert sizes == [112, 112, 113, 113]  # each topic is a code: the vectors tell them apart
    assert "English" not in str((status.result or {})["notes"])
    assert "by their words alone" not in str((status.result or {})["notes"])
    vectors = await stored_vectors(service.database, generation_id, ROWS)
    assert (vectors.shape, np.isfinite(vectors).all()) == ((ROWS, 512), True)  # and not the model's 1,536 numbers
    report = tmp_path / "report.html"
    await service.tables.write(generation_id, report)
    assert re.search(r"<dt>cost</dt><dd>\$0\.\d+<", report.read_text())  # though labels cost nothing


@pytest.mark.parametrize(
    ("name", "size"),
    [("openai:text-embedding-3-small", 512), ("openai:text-embedding-ada-002", None), ("openai:bge@512", None)],
)
def test_vectors_of_a_length_are_asked_only_of_models_that_make_it(name: str, size: int | None) -> None:
    assert asked_of(sized(name)) == (name, size)
    assert asked_of(name) == (name, None)  # as generations that were begun before have it


async def test_a_call_cut_off_is_repeated_alone_and_listed(service: Service, provider: StubProvider) -> None:
    provider.faults({"fault": "cut_body", "match": {"api": "embeddings"}, "times": 1})
    generation_id = await begun(service)

    async with working(service):
        status = await ended(service, generation_id)

    assert status.status == "completed"
    assert len(provider.bill().calls) == 4
    assert status.ledger.n_in_doubt == 1
    await check_money(service, provider, generation_id)


async def test_a_reply_without_all_vectors_is_paid_once_and_asked_for_again_only_when_somebody_says_so(
    service: Service, provider: StubProvider
) -> None:
    provider.faults({"fault": "content_filter", "match": {"api": "embeddings"}, "times": 1})
    generation_id = await begun(service)

    async with working(service):
        failed = await ended(service, generation_id)
        paid, codes = len(provider.bill().calls), await failures(service, generation_id)
        await service.steering.retry(generation_id)
        whole = await ended(service, generation_id)

    assert (failed.status, codes, failed.ledger.n_in_doubt) == ("failed", ["bad_reply_wrong_schema"], 0)
    assert failed.spent_usd > 0
    assert (whole.status, len(provider.bill().calls)) == ("completed", paid + 1)
    assert len([step for step in await steps(service, generation_id) if step.endswith("/again-1")]) == 1
    await check_money(service, provider, generation_id)


async def test_a_budget_below_the_vectors_pauses_before_a_call_and_more_money_lets_it_go_on(
    service: Service, provider: StubProvider
) -> None:
    generation_id = await begun(service, budget="0.000001")

    async with working(service):
        paused = await until(service, generation_id, lambda status: status.status == "paused")
        assert provider.bill().calls == ()
        assert paused.error is not None
        assert paused.error["code"] == "budget_used_up"
        await service.steering.resume(generation_id, budget=Decimal(1))
        status = await ended(service, generation_id)

    assert status.status == "completed"
    assert len(provider.bill().calls) == 3
    await check_money(service, provider, generation_id)


async def test_what_would_compare_answers_with_codes_is_refused_before_it_costs(
    service: Service, provider: StubProvider
) -> None:
    generation_id = await begun(service)
    async with working(service):
        await ended(service, generation_id)
    spent = len(provider.bill().calls)

    with pytest.raises(Conflict, match="only paid for the answers"):
        await service.suggesting.suggest(generation_id, n=5)
    with pytest.raises(BadInput, match="HOLDFAST_EMBEDDER"):
        await begun(service, n_clusters=None, frame_of=str(generation_id))
    with pytest.raises(BadInput, match=r"examples: .*HOLDFAST_EMBEDDER"):
        await begun(service, n_clusters=None, examples=(("Kind nurses", ("Staff",)), ("Cold food", ("Food",))))

    assert len(provider.bill().calls) == spent


async def test_an_embedder_whose_price_nobody_knows_is_the_operators_to_set_right(service: Service) -> None:
    unpriced = service.settings.model_copy(update={"embedder": "openai:vectors-of-our-own"})

    async with open_service(unpriced) as elsewhere:
        with pytest.raises(NotConfigured, match=r"^HOLDFAST_EMBEDDER is openai:vectors-of-our-own, .*HOLDFAST_PRICES"):
            await begun(elsewhere)


async def test_a_worker_that_would_have_to_pay_for_what_was_started_as_free_pauses_it(
    service: Service, provider: StubProvider
) -> None:
    free = service.settings.model_copy(update={"embedder": "auto"})
    async with open_service(free) as elsewhere:
        generation_id = await begun(elsewhere)

    async with working(service):
        paused = await until(service, generation_id, lambda status: status.status == "paused")

    assert provider.bill().calls == ()
    assert paused.error is not None
    assert paused.error["code"] == "not_configured"
    assert "HOLDFAST_EMBEDDER" in paused.error["message"]


async def test_long_answers_go_in_calls_that_the_provider_takes(service: Service, provider: StubProvider) -> None:
    category = await service.imports.add_category(name="long")
    long = "The nurses were kind and the food was cold and the parking was dear. " * 100
    rows = [IncomingRow(text=f"{n} {long}") for n in range(40)]  # 280,000 characters
    rows.append(IncomingRow(text="Nobody called us back. " * 3000))  # more than the model reads of one text
    await service.imports.import_rows(category.id, rows)
    request = GenerationRequest(category_id=category.id, config=GenerationConfig(n_clusters=2))
    generation_id = (await service.generations.start(request)).generation.id

    async with working(service):
        status = await ended(service, generation_id)

    assert status.status == "completed"
    assert len(provider.bill().calls) == 4
    await check_money(service, provider, generation_id)
