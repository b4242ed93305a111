"""Everything a provider may do to a call: classified, its money recorded, and nothing paid for blindly."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.service_worker import working

from holdfast.errors import BadInput
from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service, Status, open_service
from holdfast.stub import StubProvider

TOPICS = (
    "The waiting time was far too long, {n} minutes",
    "Staff were friendly and very kind to me {n}",
    "Parking is expensive, I paid {n} pounds",
    "The food was cold and had no taste {n}",
)
MODELS = ("anthropic:stub-model", "openai:stub-model")


@pytest.fixture
def service(paying: Service) -> Service:
    return paying


async def begun(service: Service, *, model: str = MODELS[0], budget: str | None = None, **config: Any) -> UUID:
    category = await service.imports.add_category(name="faults")
    await service.imports.import_rows(category.id, [IncomingRow(text=TOPICS[n % 4].format(n=n)) for n in range(60)])
    request = GenerationRequest(
        category_id=category.id,
        config=GenerationConfig(n_clusters=4, model=model, **config),
        budget=None if budget is None else Decimal(budget),
    )
    return (await service.generations.start(request)).generation.id


async def until(service: Service, generation_id: UUID, reached: Callable[[Status], bool]) -> Status:
    async with asyncio.timeout(60):
        while not reached(status := await service.generations.status(generation_id)):
            await asyncio.sleep(0.05)  # how often the status is sampled
    return status


async def ended(service: Service, generation_id: UUID) -> Status:
    return await until(service, generation_id, lambda status: status.ended)


async def check_money(service: Service, provider: StubProvider, generation_id: UUID) -> None:
    """The ledger is the bill, but for calls in doubt: these cost nothing or what the bill has for them."""
    ledger = (await service.generations.status(generation_id)).ledger
    billed = provider.bill().usd
    assert ledger.reserved == 0
    assert ledger.spent <= billed <= ledger.spent + ledger.in_doubt
    if ledger.n_in_doubt == 0:
        assert ledger.spent == billed


@pytest.mark.parametrize("model", MODELS)
async def test_a_paid_generation_costs_one_call_a_cluster_and_the_ledger_is_the_bill(
    service: Service, provider: StubProvider, model: str
) -> None:
    generation_id = await begun(service, model=model)

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.n_completed, status.ledger.n_calls) == ("completed", 4, 4)
    assert len(provider.bill().calls) == 4
    assert provider.bill().paid_twice == {}
    assert status.estimate is not None
    assert Decimal(status.estimate["low_usd"]) * Decimal("0.5") <= status.spent_usd
    assert status.spent_usd <= Decimal(status.estimate["high_usd"])
    await check_money(service, provider, generation_id)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("fault", ["rate_limit", "overloaded", "server_error"])
async def test_what_passes_is_tried_again_and_costs_nothing(
    service: Service, provider: StubProvider, model: str, fault: str
) -> None:
    provider.faults({"fault": fault, "times": 2, "retry_after": 0.2})
    generation_id = await begun(service, model=model)

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.ledger.n_in_doubt) == ("completed", 0)
    assert len(provider.bill().calls) == 4
    await check_money(service, provider, generation_id)


async def test_waiting_for_a_busy_provider_uses_up_no_attempt(service: Service, provider: StubProvider) -> None:
    provider.faults({"fault": "rate_limit", "times": 12, "retry_after": 0.05})
    generation_id = await begun(service)

    async with working(service):
        status = await ended(service, generation_id)

    assert status.status == "completed"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("fault", ["timeout_after_billing", "cut_body"])
async def test_a_call_that_may_have_been_billed_is_in_doubt_with_its_money_and_repeated(
    service: Service, provider: StubProvider, model: str, fault: str
) -> None:
    provider.faults({"fault": fault, "times": 1})
    generation_id = await begun(service, model=model)

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.ledger.n_in_doubt) == ("completed", 1)
    assert len(provider.bill().calls) == 5
    assert list(provider.bill().paid_twice.values()) == [2]
    await check_money(service, provider, generation_id)


async def test_a_connection_that_is_reset_leaves_a_doubt_that_turns_out_to_have_cost_nothing(
    service: Service, provider: StubProvider
) -> None:
    provider.faults({"fault": "close_on_accept", "times": 1})
    generation_id = await begun(service)

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.ledger.n_in_doubt) == ("completed", 1)
    assert len(provider.bill().calls) == 4
    await check_money(service, provider, generation_id)


async def test_with_hold_a_call_in_doubt_waits_for_a_person_who_settles_it(
    service: Service, provider: StubProvider
) -> None:
    provider.faults({"fault": "cut_body", "times": 1})
    generation_id = await begun(service, in_doubt="hold")

    async with working(service):
        held = await until(service, generation_id, lambda status: status.status == "paused")
        billed = provider.bill().usd
        assert (held.n_completed, held.n_pending, held.ledger.n_in_doubt) == (3, 1, 1)
        assert held.error is not None
        assert held.error["code"] == "in_doubt"
        real = billed - held.spent_usd
        resolved = await service.steering.resolve(generation_id, cost=real)
        status = await ended(service, generation_id)

    assert (len(resolved.settled), resolved.n_repeated) == (1, 1)
    assert (status.status, status.ledger.n_in_doubt) == ("completed", 0)
    await check_money(service, provider, generation_id)
    with pytest.raises(BadInput, match="not in doubt"):
        await service.steering.resolve(generation_id, calls=resolved.settled)


async def test_a_held_call_can_be_given_up(service: Service, provider: StubProvider) -> None:
    provider.faults({"fault": "cut_body", "times": 1})
    generation_id = await begun(service, in_doubt="hold")

    async with working(service):
        await until(service, generation_id, lambda status: status.status == "paused")
        resolved = await service.steering.resolve(generation_id, then="give_up")
        status = await ended(service, generation_id)

    assert resolved.n_given_up == 1
    assert (status.status, status.n_completed, status.n_failed) == ("partial", 3, 1)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("max_tokens", "bad_reply_max_tokens"),
        ("refusal", "bad_reply_refusal"),
        ("truncated_json", "bad_reply_malformed"),
        ("wrong_schema", "bad_reply_wrong_schema"),
    ],
)
async def test_a_reply_that_cannot_be_used_is_paid_once_and_asked_for_again_only_when_somebody_says_so(
    service: Service, provider: StubProvider, model: str, fault: str, code: str
) -> None:
    provider.faults({"fault": fault, "times": 1})
    generation_id = await begun(service, model=model)

    async with working(service):
        partial = await ended(service, generation_id)
        paid, codes = len(provider.bill().calls), await failures(service, generation_id)
        retried = await service.steering.retry(generation_id)
        whole = await ended(service, generation_id)

    assert (partial.status, partial.n_failed, partial.ledger.n_calls, paid) == ("partial", 1, 4, 4)
    assert (retried, whole.status, whole.n_completed) == (1, "completed", 4)
    assert len(provider.bill().calls) == 5
    assert codes == [code]
    await check_money(service, provider, generation_id)


async def failures(service: Service, generation_id: UUID) -> list[str]:
    """Why units of it were given up."""
    query = text("SELECT error->>'code' AS code FROM holdfast.units WHERE generation_id = :id AND state = 'failed'")
    rows = await service.database.run(lambda c: c.execute(query, {"id": generation_id}))
    return [row.code for row in rows]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("fault", "word"), [("auth", "key"), ("bad_request", "refuse")])
async def test_what_no_retry_cures_fails_at_once_with_the_reason(
    service: Service, provider: StubProvider, model: str, fault: str, word: str
) -> None:
    provider.faults({"fault": fault, "times": None})
    generation_id = await begun(service, model=model)

    async with working(service):
        status = await ended(service, generation_id)

    assert (status.status, status.n_failed) == ("failed", 4)
    assert status.error is not None
    assert status.error["attempt"] == 1
    assert word in status.error["message"].casefold()
    assert provider.bill().calls == ()
    assert status.spent_usd == 0


@pytest.mark.parametrize("model", MODELS)
async def test_used_up_credit_pauses_and_resume_goes_on(service: Service, provider: StubProvider, model: str) -> None:
    provider.faults({"fault": "quota", "times": None})
    generation_id = await begun(service, model=model)

    async with working(service):
        paused = await until(service, generation_id, lambda status: status.status == "paused")
        provider.no_faults()
        await service.steering.resume(generation_id)
        status = await ended(service, generation_id)

    assert paused.error is not None
    assert paused.error["code"] == "provider_quota"
    assert (status.status, len(provider.bill().calls)) == ("completed", 4)


async def test_a_used_up_budget_pauses_and_a_new_one_goes_on_without_paying_again(
    service: Service, provider: StubProvider
) -> None:
    generation_id = await begun(service, budget="0.0001")
    generous = "5"

    async with working(service):
        paused = await until(service, generation_id, lambda status: status.status == "paused")
        before = len(provider.bill().calls)
        await service.steering.resume(generation_id, budget=Decimal(generous))
        status = await ended(service, generation_id)

    assert paused.error is not None
    assert paused.error["code"] == "budget_used_up"
    assert before == 0
    assert (status.status, len(provider.bill().calls)) == ("completed", 4)
    await check_money(service, provider, generation_id)


async def test_a_worker_without_the_key_pauses_and_fails_nothing(service: Service, provider: StubProvider) -> None:
    poor = service.settings.model_copy(update={"anthropic_key": None, "anthropic_url": None})
    async with open_service(poor) as without:
        generation_id = await begun(service)
        async with working(without):
            paused = await until(service, generation_id, lambda status: status.status == "paused")
    await service.steering.resume(generation_id)
    async with working(service):
        status = await ended(service, generation_id)

    assert paused.error is not None
    assert (paused.error["code"], "ANTHROPIC_API_KEY" in paused.error["message"]) == ("not_configured", True)
    assert (status.status, status.n_failed) == ("completed", 0)
    assert len(provider.bill().calls) == 4


async def test_a_worker_pauses_what_a_newer_release_asked_for_in_words_it_does_not_know(
    service: Service, provider: StubProvider
) -> None:
    generation_id = await begun(service)
    said = "UPDATE holdfast.generations SET config = config {}"
    newer = text(said.format("""|| '{"in_rhyme": true}'"""))
    await service.database.run(lambda c: c.execute(newer))

    async with working(service):
        paused = await until(service, generation_id, lambda status: status.ended or status.status == "paused")
        await service.database.run(lambda c: c.execute(text(said.format("- 'in_rhyme'"))))  # as if it were upgraded
        await service.steering.resume(generation_id)
        status = await ended(service, generation_id)

    assert paused.error is not None
    assert (paused.error["code"], "in_rhyme" in paused.error["message"]) == ("not_configured", True)
    assert (status.status, status.n_failed, len(provider.bill().calls)) == ("completed", 0, 4)


async def test_a_paused_generation_makes_no_call_and_a_cancelled_one_records_what_was_in_flight(
    service: Service, provider: StubProvider
) -> None:
    provider.hold()
    generation_id = await begun(service)

    async with working(service):
        await provider.waiting(4)
        await service.steering.cancel(generation_id)
        provider.release()

    status = await service.generations.status(generation_id)
    assert status.status == "cancelled"
    assert len(provider.bill().calls) == status.ledger.n_calls == 4
    await check_money(service, provider, generation_id)
