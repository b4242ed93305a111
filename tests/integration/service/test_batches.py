"""Labels bought in a provider's batch: half the price, each billed once, and whatever becomes of it recorded."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.faults.service.paid import MODEL, check_bill, check_units
from tests.faults.service.stack import generation_of, until

from holdfast.errors import Conflict
from holdfast.service import Service, Status, open_service
from holdfast.settings import Settings
from holdfast.stub import StubProvider

MODELS = (MODEL, "openai:stub-model")
APIS = dict(zip(MODELS, ("message_batches", "chat_batches"), strict=True))
CLUSTERS = 4


@pytest.fixture
async def service(
    redis_url: str, database_url: str, provider: StubProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """With a worker that runs."""
    for name, value in provider.environment().items():
        monkeypatch.setenv(name, value)
    settings = Settings(redis_url_given=redis_url, database_url=database_url, home=tmp_path, reconcile_seconds=0.2)
    async with open_service(settings) as opened:
        stopping = asyncio.Event()
        working = asyncio.create_task(opened.run_worker(stopping))
        yield opened
        stopping.set()
        await working


async def batched(service: Service, *, model: str = MODEL, **config: Any) -> UUID:
    """A generation in batch mode."""
    return await generation_of(service, clusters=CLUSTERS, answers=60, model=model, batch=True, **config)


async def ended(service: Service, generation_id: UUID) -> Status:
    return (await until(service, generation_id, lambda status: status.ended))[-1]


async def rows_of(service: Service, sql: str, **values: Any) -> list[Any]:
    return list(await service.database.run(lambda c: c.execute(text(sql), values)))


async def submitted(service: Service, generation_id: UUID) -> None:
    """Wait until the provider's name of its batch is known."""
    sql = "SELECT 1 FROM holdfast.batches WHERE generation_id = :id AND provider_id IS NOT NULL"
    async with asyncio.timeout(60):
        while not await rows_of(service, sql, id=generation_id):
            await asyncio.sleep(0.05)


async def asked_for(provider: StubProvider, api: str) -> None:
    """Wait until the provider was asked so."""
    async with asyncio.timeout(60):
        while not provider.state()["by_api"].get(api):
            await asyncio.sleep(0.05)


async def check_one_batch(service: Service, provider: StubProvider, generation_id: UUID, status: Status) -> None:
    """Every label in one batch, each billed once, the ledger the bill."""
    assert (status.status, status.n_completed) == ("completed", CLUSTERS)
    assert len(provider.bill().calls) == CLUSTERS
    assert len({call.batch_id for call in provider.bill().calls}) == 1
    await check_bill(service, provider, generation_id)
    await check_units(service, generation_id)


@pytest.mark.parametrize("model", MODELS)
async def test_every_label_comes_in_one_batch_at_half_the_price(
    service: Service, provider: StubProvider, model: str
) -> None:
    generation_id = await batched(service, model=model)

    status = await ended(service, generation_id)

    await check_one_batch(service, provider, generation_id, status)
    usages = [call.usage for call in provider.bill().calls]
    full = sum(3 * usage.input_tokens + 15 * usage.output_tokens for usage in usages) / 1_000_000
    assert float(status.spent_usd) == pytest.approx(full / 2, abs=CLUSTERS * 0.000001)


@pytest.mark.parametrize("model", MODELS)
async def test_a_submit_whose_reply_was_cut_off_is_found_and_not_repeated(
    service: Service, provider: StubProvider, model: str
) -> None:
    provider.faults({"fault": "cut_body", "match": {"api": f"{APIS[model]}.create"}, "times": 1})
    generation_id = await batched(service, model=model)

    status = await ended(service, generation_id)

    await check_one_batch(service, provider, generation_id, status)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("fault", ["batch_item_error", "batch_expire"])
async def test_a_label_that_the_batch_did_not_bring_is_bought_by_itself(
    service: Service, provider: StubProvider, model: str, fault: str
) -> None:
    provider.faults({"fault": fault, "match": {"custom_id": "-2"}, "times": 1})
    generation_id = await batched(service, model=model)

    status = await ended(service, generation_id)

    assert (status.status, status.n_completed) == ("completed", CLUSTERS)
    by_itself = [call for call in provider.bill().calls if call.batch_id is None]
    assert (len(by_itself), len(provider.bill().calls)) == (1, CLUSTERS)
    assert provider.bill().paid_twice == {}
    await check_bill(service, provider, generation_id)
    await check_units(service, generation_id)
    sql = "SELECT error, cost_usd FROM holdfast.calls WHERE generation_id = :id AND state = 'failed'"
    [failed] = await rows_of(service, sql, id=generation_id)
    assert failed.error.startswith("ProviderFailed: ")
    assert failed.cost_usd == 0


async def test_a_label_that_neither_the_batch_nor_the_provider_gives_fails_with_the_reason(
    service: Service, provider: StubProvider
) -> None:
    provider.faults(
        {"fault": "batch_item_error", "match": {"custom_id": "-2"}, "times": 1},
        {"fault": "bad_request", "match": {"api": "messages"}, "times": None},
    )
    generation_id = await batched(service)

    status = await ended(service, generation_id)

    assert (status.status, status.n_completed, status.n_failed) == ("partial", CLUSTERS - 1, 1)
    sql = "SELECT error FROM holdfast.units WHERE generation_id = :id AND state = 'failed'"
    [failed] = await rows_of(service, sql, id=generation_id)
    assert failed.error["code"] == "provider_rejected"
    assert len(provider.bill().calls) == CLUSTERS - 1
    await check_bill(service, provider, generation_id)


@pytest.mark.parametrize("model", MODELS)
async def test_a_cancelled_generation_s_batch_is_cancelled_and_what_it_has_cost_recorded(
    service: Service, provider: StubProvider, model: str
) -> None:
    provider.hold({"api": APIS[model]})
    generation_id = await batched(service, model=model)
    await submitted(service, generation_id)
    await provider.billed(CLUSTERS)

    await service.steering.cancel(generation_id)
    await asked_for(provider, f"{APIS[model]}.cancel")
    provider.release()
    settled = (await until(service, generation_id, lambda status: status.ledger.reserved == 0))[-1]

    assert settled.status == "cancelled"
    assert settled.ledger.n_calls == len(provider.bill().calls) == CLUSTERS
    await check_bill(service, provider, generation_id)


@pytest.mark.parametrize("model", MODELS)
async def test_a_batch_cancelled_before_it_was_worked_on_costs_nothing(
    service: Service, provider: StubProvider, model: str
) -> None:
    provider.hold({"api": APIS[model]}, before_billing=True)
    generation_id = await batched(service, model=model)
    await submitted(service, generation_id)

    await service.steering.cancel(generation_id)
    await asked_for(provider, f"{APIS[model]}.cancel")
    provider.release()
    settled = (await until(service, generation_id, lambda status: status.ledger.reserved == 0))[-1]

    assert (settled.status, settled.spent_usd, settled.ledger.n_in_doubt) == ("cancelled", 0, 0)
    assert provider.bill().calls == ()


async def test_a_generation_is_not_deleted_before_its_batch_s_money_is_known(
    service: Service, provider: StubProvider
) -> None:
    provider.hold({"api": APIS[MODEL]})
    generation_id = await batched(service)
    await submitted(service, generation_id)
    await provider.billed(CLUSTERS)

    with pytest.raises(Conflict, match="batch"):
        await service.steering.delete(generation_id)
    provider.release()
    async with asyncio.timeout(60):
        while not await rows_of(service, "SELECT 1 FROM holdfast.batches WHERE state = 'ended'"):
            await asyncio.sleep(0.05)
    await service.steering.delete(generation_id)

    [row] = await rows_of(service, "SELECT sum(cost_usd) AS usd, count(*) AS n FROM holdfast.calls")
    assert (row.usd, row.n) == (provider.bill().usd, CLUSTERS)


@pytest.mark.parametrize("model", MODELS)
async def test_an_ended_generation_s_batch_that_nobody_knows_waits_for_a_living_worker_and_for_no_dead_one(
    service: Service, provider: StubProvider, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setattr("holdfast.service.batching.LOOK_TWICE", 0.0)
    await ended(service, await batched(service, model=model))
    [living] = await service.queue.workers()
    looks = provider.state()["by_api"].get(f"{APIS[model]}.list", 0)

    unknown = (
        "WITH made AS (INSERT INTO holdfast.batches (id, generation_id, unit_id, model, n_requests, created_at)"
        " SELECT gen_random_uuid(), generation_id, unit_id, model, 1, now() - interval '1 minute' FROM holdfast.batches"
        " RETURNING id, generation_id, unit_id) INSERT INTO holdfast.calls (id, generation_id, unit_id, step,"
        " fingerprint, model, worker, state, reserved_usd, batch_id) SELECT gen_random_uuid(), generation_id, unit_id,"
        " 'label/0', 'other', :model, :worker, 'intent', 1, id FROM made RETURNING id"
    )
    [call] = await rows_of(service, unknown, model=model, worker=f"{living.id}:1")
    async with asyncio.timeout(60):
        while provider.state()["by_api"].get(f"{APIS[model]}.list", 0) < looks + 3:  # two whole sweeps have looked
            await asyncio.sleep(0.05)
    state = "SELECT state, cost_usd FROM holdfast.calls WHERE id = :id"
    kept = await rows_of(service, state, id=call.id)

    await rows_of(service, "UPDATE holdfast.calls SET worker = 'dead:1' WHERE id = :id RETURNING id", id=call.id)
    async with asyncio.timeout(60):
        while (let_go := await rows_of(service, state, id=call.id))[0].state == "intent":
            await asyncio.sleep(0.05)

    assert kept == [("intent", None)]
    assert let_go == [("failed", 0)]


async def test_a_batch_that_never_ends_is_cancelled_after_its_day_and_the_labels_bought_by_themselves(
    service: Service, provider: StubProvider
) -> None:
    provider.hold({"api": APIS[MODEL]}, before_billing=True)
    generation_id = await batched(service)
    await submitted(service, generation_id)

    back = "UPDATE holdfast.batches SET created_at = created_at - CAST(:age AS interval) RETURNING id"
    await rows_of(service, back, age=timedelta(hours=26))
    await asked_for(provider, f"{APIS[MODEL]}.cancel")
    provider.release()
    status = await ended(service, generation_id)

    assert (status.status, status.n_completed) == ("completed", CLUSTERS)
    assert [call.batch_id for call in provider.bill().calls] == [None] * CLUSTERS
    await check_bill(service, provider, generation_id)
    await check_units(service, generation_id)


@pytest.mark.parametrize("model", MODELS)
async def test_a_batch_that_the_provider_refused_is_bought_as_a_batch_when_the_generation_is_tried_again(
    service: Service, provider: StubProvider, model: str
) -> None:
    provider.faults({"fault": "bad_request", "match": {"api": f"{APIS[model]}.create"}, "times": 1})
    generation_id = await batched(service, model=model)

    refused = await ended(service, generation_id)
    await service.steering.retry(generation_id)
    status = await ended(service, generation_id)

    assert (refused.status, refused.spent_usd, refused.ledger.reserved) == ("failed", 0, 0)
    assert refused.error is not None
    assert "refuses" in refused.error["message"]
    await check_one_batch(service, provider, generation_id, status)


async def test_a_busy_provider_gets_the_batch_when_it_has_time(service: Service, provider: StubProvider) -> None:
    match = {"api": f"{APIS[MODEL]}.create"}
    provider.faults({"fault": "rate_limit", "match": match, "times": 4, "retry_after": 0.1})
    generation_id = await batched(service)

    status = await ended(service, generation_id)

    await check_one_batch(service, provider, generation_id, status)
