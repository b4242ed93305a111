"""A seeded sequence of faults, of everything, while people buy generations, for as long as `make faults` says."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import text
from tests.faults.service.customers import Customers, Ordered, patiently
from tests.faults.service.havoc import CALL_SECONDS, Havoc, Parts
from tests.faults.service.stack import Stack

from holdfast.embedded import PostgresServer, RedisServer
from holdfast.service import Service, open_service
from holdfast.stub import Bill, StubProvider

SECONDS = float(os.environ.get("HOLDFAST_TEST_SECONDS", "60"))
SEED = int(os.environ.get("HOLDFAST_TEST_SEED", "1"))
AGAIN = (
    f"HOLDFAST_TEST_SECONDS={SECONDS:g} HOLDFAST_TEST_SEED={SEED} .venv/bin/python -m pytest -m long"
    f" --timeout {SECONDS * 2 + 300:g} {Path(__file__).relative_to(Path(__file__).parents[3])}"
)
# Of each call: its place, what it cost (null: nobody knows), what it had reserved.
CALLS = "SELECT state, step, cost_usd, reserved_usd FROM holdfast.calls"
ENDS_UNKNOWN = ("in_doubt", "settled")


@pytest.fixture
async def parts(
    own_redis: RedisServer, own_folder: Path, provider: StubProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Parts]:
    postgres = PostgresServer(own_folder / "own postgres")
    await asyncio.to_thread(postgres.start)
    for name, value in {**provider.environment(), "HOLDFAST_CALL_SECONDS": CALL_SECONDS}.items():
        monkeypatch.setenv(name, value)
    await asyncio.to_thread(provider.settings, latency_ms=150)
    stack = Stack(redis=own_redis, database_url=postgres.url, home=tmp_path)
    yield Parts(stack=stack, postgres=postgres, provider=provider)
    stack.stop()
    await asyncio.to_thread(postgres.kill)


@pytest.mark.long
async def test_no_sequence_of_faults_loses_a_unit_or_bills_twice_what_is_not_in_doubt(
    parts: Parts, record_property: Callable[[str, object], None]
) -> None:
    print(f"seed {SEED}; to run it again: {AGAIN}")  # noqa: T201 - shown when it fails
    async with open_service(parts.stack.settings()) as service:
        havoc, customers = Havoc(parts, SEED), Customers(service, SEED + 1)
        end = monotonic() + SECONDS
        async with asyncio.TaskGroup() as group:
            group.create_task(customers.go_on_until(end))
            group.create_task(havoc.go_on_until(end))
        print(f"{len(customers.ordered)} generations, {len(havoc.done)} faults: {' '.join(havoc.done)}")  # noqa: T201
        await customers.settle(within=180)
        await no_intent_is_left(service, within=120)
        bill = parts.provider.bill()
        figures = await check_money(service, bill)
        for one in customers.ordered:
            await check_generation(service, one)
        findings = [each for each in (await service.queue.audit()).findings if each.kind != "dead_worker"]

    for name, value in {**figures, "generations": len(customers.ordered), "samples": customers.samples}.items():
        record_property(name, str(value))
    print(f"{customers.samples} samples, {figures}")  # noqa: T201
    assert findings == []


async def no_intent_is_left(service: Service, *, within: float) -> None:
    """Dead workers' calls become doubts, and cancelled generations' batches are settled, some sweeps later."""
    left = "SELECT count(*) FROM holdfast.calls WHERE state = 'intent'"
    async with asyncio.timeout(within):
        while (await patiently(lambda: service.database.run(lambda c: c.execute(text(left))))).scalar_one():
            await asyncio.sleep(0.2)


async def check_generation(service: Service, one: Ordered) -> None:
    """Nothing is lost, nothing was ever said that is not so, and each job is in one place."""
    assert one.wrong == []
    status = await service.generations.status(one.id)
    census = await service.generations.census(one.id)
    assert census.in_two_states == 0
    if one.is_cancelled:
        assert status.status == "cancelled"
        return
    assert (status.status, status.n_completed) == ("completed", status.n_clusters)
    assert (await service.generations.hierarchy(one.id)).n_assigned == status.n_answers


async def check_money(service: Service, bill: Bill) -> dict[str, object]:
    """The ledger is the bill, but for the calls nobody knows the end of; what was billed twice is listed."""
    calls = (await patiently(lambda: service.database.run(lambda c: c.execute(text(CALLS))))).all()
    known = sum((call.cost_usd for call in calls if call.state in {"replied", "superseded", "failed"}), Decimal(0))
    unknown = [call for call in calls if call.state in ENDS_UNKNOWN]
    most = known + sum((call.reserved_usd for call in unknown), Decimal(0))
    more_than_once = sum(bill.paid_twice.values()) - len(bill.paid_twice)
    # A reply of no use is asked for again when a person says so; any other second bill stands behind a call that is
    # listed: in doubt, late, or failed with a cost.
    again = [call for call in calls if "/again" in call.step and (call.cost_usd or call.state in ENDS_UNKNOWN)]
    late = [call for call in calls if call.state == "superseded" or (call.state == "failed" and call.cost_usd)]
    twice = max(0, more_than_once - len(again))
    assert [call for call in calls if call.state == "intent"] == []
    assert known <= bill.usd <= most
    assert twice <= len(unknown) + len(late)
    return {
        "calls": len(calls),
        "billed": len(bill.calls),
        "billed_usd": bill.usd,
        "known_usd": known,
        "in_doubt": len(unknown),
        "in_doubt_usd": most - known,
        "asked_again": len(again),
        "billed_twice": twice,
        "late_or_failed": len(late),
    }
