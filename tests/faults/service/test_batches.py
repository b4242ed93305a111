"""Processes die around a provider's batch: it is handed in once and billed once."""

import asyncio
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.faults.service.paid import MODEL, check_bill, check_units
from tests.faults.service.stack import TOPICS, Stack, died, generation_of, until

from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service, Status
from holdfast.stub import StubProvider

MODELS = (MODEL, "openai:stub-model")
APIS = dict(zip(MODELS, ("message_batches", "chat_batches"), strict=True))
CLUSTERS = 4


async def batched(service: Service, *, model: str = MODEL, name: str = "faults", **config: Any) -> UUID:
    """A generation in batch mode."""
    if name == "faults":
        return await generation_of(service, clusters=CLUSTERS, answers=60, model=model, batch=True, **config)
    category = await service.imports.add_category(name=name)
    rows = [IncomingRow(text=TOPICS[n % 4].format(n=n)) for n in range(60)]
    await service.imports.import_rows(category.id, rows)
    wanted = GenerationConfig(n_clusters=CLUSTERS, model=model, batch=True, **config)
    return (await service.generations.start(GenerationRequest(category_id=category.id, config=wanted))).generation.id


async def ended(service: Service, generation_id: UUID, *, within: float = 150) -> Status:
    return (await until(service, generation_id, lambda status: status.ended, within=within))[-1]


async def rows_of(service: Service, sql: str, **values: Any) -> list[Any]:
    return list(await service.database.run(lambda c: c.execute(text(sql), values)))


async def submitted(service: Service, generation_id: UUID) -> str:
    """Wait until the provider's name of its batch is known; returns it."""
    sql = "SELECT provider_id FROM holdfast.batches WHERE generation_id = :id AND provider_id IS NOT NULL"
    async with asyncio.timeout(150):
        while not (found := await rows_of(service, sql, id=generation_id)):
            await asyncio.sleep(0.05)
    return str(found[0].provider_id)


def n_batches(provider: StubProvider) -> int:
    """How many batches the provider has billed for."""
    return len({call.batch_id for call in provider.bill().calls if call.batch_id})


async def check_one_batch(service: Service, provider: StubProvider, generation_id: UUID, status: Status) -> None:
    """Every label in one batch, each billed once, the ledger the bill."""
    assert (status.status, status.n_completed) == ("completed", CLUSTERS)
    assert len(provider.bill().calls) == CLUSTERS
    assert set(provider.bill().by_custom_id.values()) == {1}
    assert n_batches(provider) == 1
    await check_bill(service, provider, generation_id)
    await check_units(service, generation_id)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("point", "model"),
    [
        ("batch committed", MODELS[0]),
        ("batch submitted", MODELS[1]),
        pytest.param("unit computed:4", MODELS[0], marks=pytest.mark.long),
        pytest.param("batch committed", MODELS[1], marks=pytest.mark.long),
        pytest.param("batch submitted", MODELS[0], marks=pytest.mark.long),
        pytest.param("unit computed:4", MODELS[1], marks=pytest.mark.long),
    ],
)
async def test_a_worker_killed_around_a_batch_hands_it_in_once_and_pays_it_once(
    paying: StubProvider, stack: Stack, service: Service, model: str, point: str
) -> None:
    generation_id = await batched(service, model=model)
    doomed = stack.start("worker", HOLDFAST_FAULT=point)

    await died(doomed)
    stack.start("worker")
    status = await ended(service, generation_id)

    await check_one_batch(service, paying, generation_id, status)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("model", [MODELS[0], pytest.param(MODELS[1], marks=pytest.mark.long)])
async def test_a_batch_that_the_provider_s_listing_shows_late_is_not_handed_in_again(
    paying: StubProvider, stack: Stack, service: Service, model: str
) -> None:
    generation_id = await batched(service, model=model)
    doomed = stack.start("worker", HOLDFAST_FAULT="batch submitted")

    await died(doomed)
    paying.faults({"fault": "empty_list", "match": {"api": APIS[model]}, "times": 1})
    stack.start("worker")
    status = await ended(service, generation_id)

    await check_one_batch(service, paying, generation_id, status)


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_a_submit_that_was_made_again_and_is_listed_late_is_not_made_a_third_time(
    paying: StubProvider, stack: Stack, service: Service
) -> None:
    generation_id = await batched(service)
    await died(stack.start("worker", HOLDFAST_FAULT="batch committed"))
    await died(stack.start("worker", HOLDFAST_FAULT="batch submitted"))

    paying.faults({"fault": "empty_list", "match": {"api": APIS[MODEL]}, "times": 1})
    stack.start("worker")
    status = await ended(service, generation_id)

    await check_one_batch(service, paying, generation_id, status)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("model", MODELS)
async def test_a_worker_that_froze_before_its_submit_makes_a_second_batch_which_is_cancelled_and_paid_for(
    paying: StubProvider, stack: Stack, service: Service, model: str
) -> None:
    generation_id = await batched(service, model=model)
    frozen = stack.start("worker", HOLDFAST_FAULT="batch committed:1:freeze")
    await stopped(frozen.pid)
    stack.start("worker")
    first = await submitted(service, generation_id)

    frozen.send_signal(signal.SIGCONT)
    ends = (
        "SELECT provider_id FROM holdfast.batches WHERE generation_id = :id AND state = 'ended'"
        " ORDER BY created_at DESC"
    )
    async with asyncio.timeout(60):
        while len(rows := await rows_of(service, ends, id=generation_id)) < 2:
            await asyncio.sleep(0.05)
    status = await ended(service, generation_id)

    assert (status.status, status.n_completed, status.ledger.n_in_doubt) == ("completed", CLUSTERS, 0)
    assert (rows[0].provider_id, status.spent_usd) == (first, paying.bill().usd)
    assert "batch handed in twice" in stack.log_of(frozen)
    assert status.ledger.reserved == 0
    await check_units(service, generation_id)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("model", MODELS)
async def test_a_cancelled_generation_s_batch_whose_worker_died_before_the_submit_soon_keeps_no_money(
    paying: StubProvider, stack: Stack, service: Service, model: str
) -> None:
    generation_id = await batched(service, model=model)
    doomed = stack.start("worker", HOLDFAST_FAULT="batch committed")
    await died(doomed)

    await service.steering.cancel(generation_id)
    before = await service.generations.status(generation_id)
    stack.start("worker")
    after = (await until(service, generation_id, lambda status: status.ledger.reserved == 0, within=90))[-1]

    assert before.ledger.reserved > 0
    assert (after.status, after.spent_usd, after.ledger.n_in_doubt) == ("cancelled", 0, 0)
    assert paying.bill().calls == ()


async def stopped(pid: int) -> None:
    """Wait until the process has been stopped by SIGSTOP."""
    async with asyncio.timeout(60):
        while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            await asyncio.sleep(0.02)


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_a_batch_is_not_mistaken_for_another_generation_s_that_still_runs(
    paying: StubProvider, stack: Stack, service: Service
) -> None:
    paying.hold({"api": APIS[MODEL]}, before_billing=True)
    long = await batched(service, name="long")
    stack.start("worker")
    await submitted(service, long)
    stack.stop()
    crashed = await batched(service, name="crashed")
    await died(stack.start("worker", HOLDFAST_FAULT="batch committed"))

    stack.start("worker")
    await submitted(service, crashed)
    paying.release()
    both = [await ended(service, generation_id) for generation_id in (long, crashed)]

    assert [status.status for status in both] == ["completed"] * 2
    assert n_batches(paying) == 2
    assert len(paying.bill().calls) == 2 * CLUSTERS
    assert sum(status.spent_usd for status in both) == paying.bill().usd


@pytest.mark.timeout(300)
async def test_everything_is_killed_while_a_batch_runs_and_goes_on_with_it(
    paying: StubProvider, stack: Stack, service: Service
) -> None:
    paying.hold({"api": APIS[MODEL]})
    generation_id = await batched(service)
    stack.start("worker")
    await submitted(service, generation_id)
    await paying.waiting(1)

    stack.stop()
    await asyncio.to_thread(stack.redis.kill)
    await asyncio.to_thread(paying.restart)  # it has forgotten that it holds: the batch ends now
    await asyncio.to_thread(stack.redis.start)
    stack.start("worker")
    status = await ended(service, generation_id)

    await check_one_batch(service, paying, generation_id, status)
