"""Workers die, freeze and stop around paid calls: the provider's own bill says what was paid twice."""

import asyncio
import signal

import pytest
import redis as redis_client
from sqlalchemy import text
from tests.faults.service.paid import MODEL, check_bill, check_units
from tests.faults.service.stack import Stack, died, generation_of, until

from holdfast.service import Service
from holdfast.stub import StubProvider

# Where the worker dies -> calls in doubt afterwards, calls that the provider billed twice.
POINTS = {
    "job taken": (0, 0),
    "intent stored": (1, 0),
    "call returned": (1, 1),
    "reply stored": (0, 0),
    "unit computed": (0, 0),
    "unit done": (0, 0),
}


@pytest.mark.parametrize(("point", "doubts", "twice"), [(point, *counts) for point, counts in POINTS.items()])
async def test_a_killed_worker_costs_at_most_the_one_call_it_was_making(
    paying: StubProvider, stack: Stack, service: Service, point: str, doubts: int, twice: int
) -> None:
    in_labels = 2 if point in {"intent stored", "call returned", "reply stored"} else 5
    generation_id = await generation_of(service, model=MODEL)
    doomed = stack.start("worker", "--concurrency", "1", HOLDFAST_FAULT=f"{point}:{in_labels}")

    await died(doomed)
    stack.start("worker")
    seen = await until(service, generation_id, lambda status: status.ended)

    assert seen[-1].status == "completed"
    assert [s.progress for s in seen] == sorted(s.progress for s in seen)
    assert len(paying.bill().calls) == 6 + twice
    await check_bill(service, paying, generation_id, twice=twice, doubts=doubts)
    await check_units(service, generation_id)


@pytest.mark.parametrize("steer", ["cancel", "pause"])
async def test_a_dead_worker_s_call_is_in_doubt_although_nobody_asks_for_it_again(
    paying: StubProvider, stack: Stack, service: Service, steer: str
) -> None:
    generation_id = await generation_of(service, clusters=4, model=MODEL)
    doomed = stack.start("worker", "--concurrency", "1", HOLDFAST_FAULT="call returned:2")
    await died(doomed)
    await getattr(service.steering, steer)(generation_id)

    stack.start("worker")
    seen = await until(service, generation_id, lambda status: status.ledger.n_in_doubt == 1)

    assert (seen[0].ledger.reserved > 0, seen[-1].ledger.reserved) == (True, 0)
    assert len(paying.bill().calls) == 2
    await check_bill(service, paying, generation_id, doubts=1)


async def test_the_late_reply_of_a_frozen_worker_is_recorded_and_changes_nothing(
    paying: StubProvider, stack: Stack, service: Service
) -> None:
    paying.hold()
    generation_id = await generation_of(service, clusters=4, model=MODEL)
    frozen = stack.start("worker", "--concurrency", "1", HOLDFAST_LOCK_SECONDS="2")
    await paying.waiting(1)

    frozen.send_signal(signal.SIGSTOP)
    stack.start("worker", "--concurrency", "1", HOLDFAST_LOCK_SECONDS="2")
    await paying.waiting(2)
    paying.release()
    before = (await until(service, generation_id, lambda status: status.ended))[-1]
    frozen.send_signal(signal.SIGCONT)
    after = (await until(service, generation_id, lambda status: status.ledger.n_repeated == 1))[-1]

    assert (before.status, before.ledger.n_in_doubt) == ("completed", 1)
    assert (after.status, after.n_completed, after.ledger.n_in_doubt) == ("completed", 4, 0)
    await check_bill(service, paying, generation_id, twice=1)
    await check_units(service, generation_id)


async def test_a_worker_that_is_told_to_stop_finishes_the_call_it_pays_for(
    paying: StubProvider, stack: Stack, service: Service
) -> None:
    paying.hold()
    generation_id = await generation_of(service, model=MODEL)
    first = stack.start("worker", "--concurrency", "2")
    await paying.waiting(2)

    first.terminate()
    paying.release()
    code = await asyncio.to_thread(first.wait, 30)
    stopped = await service.generations.status(generation_id)
    stack.start("worker")
    after = (await until(service, generation_id, lambda status: status.ended))[-1]

    assert code == 0
    assert stopped.ledger.n_calls == stopped.n_completed >= 2
    assert after.status == "completed"
    assert len(paying.bill().calls) == 6
    await check_bill(service, paying, generation_id)
    await check_units(service, generation_id)


async def test_a_database_that_cuts_every_connection_loses_no_reply(
    paying: StubProvider, stack: Stack, service: Service
) -> None:
    paying.hold()
    generation_id = await generation_of(service, model=MODEL)
    stack.start("worker", "--concurrency", "3")

    for held in (3, 3):
        await paying.waiting(held)
        await cut_all(service)
        paying.release(held)
    paying.release()
    after = (await until(service, generation_id, lambda status: status.ended))[-1]

    assert after.status == "completed"
    assert len(paying.bill().calls) == 6
    await check_bill(service, paying, generation_id)
    await check_units(service, generation_id)


async def cut_all(service: Service) -> None:
    """End every other connection to this database."""
    sql = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await service.database.run(lambda c: c.execute(text(sql)))


async def test_a_redis_that_comes_back_empty_while_calls_are_paid_bills_nothing_again(
    paying: StubProvider, stack: Stack, service: Service
) -> None:
    paying.hold()
    generation_id = await generation_of(service, model=MODEL)
    for _ in range(2):
        stack.start("worker", "--concurrency", "2")
    await paying.waiting(4)

    with redis_client.Redis.from_url(stack.redis.url) as client:
        client.flushall()
    paying.release()
    after = (await until(service, generation_id, lambda status: status.ended))[-1]

    assert after.status == "completed"
    assert len(paying.bill().calls) == 6
    await check_bill(service, paying, generation_id)
    await check_units(service, generation_id)
