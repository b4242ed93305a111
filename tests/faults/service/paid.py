"""Generations whose labels are bought from the stub provider, and what must be true of their money."""

from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import text
from tests.faults.service.stack import Stack, died, until

from holdfast.service import Service, Status
from holdfast.stub import StubProvider

MODEL = "anthropic:stub-model"
CLUSTERS = 6

Record: TypeAlias = Callable[[str, object], None]  # pytest's record_property


async def check_resumed(
    service: Service, provider: StubProvider, generation_id: UUID, record: Record, *, within: float = 60.0
) -> Status:
    """The fault is over: wait for the end, check that nothing was lost or paid twice, and record the figures."""
    over = monotonic()
    before = (await until(service, generation_id, lambda _: True))[-1].n_completed
    await until(service, generation_id, lambda status: status.ended or status.n_completed > before, within=within)
    record("seconds_to_resume", round(monotonic() - over, 2))
    ended = (await until(service, generation_id, lambda status: status.ended, within=within))[-1]
    record("lost", ended.n_clusters - ended.n_completed)
    record("run_twice", ended.ledger.n_repeated + ended.ledger.n_in_doubt)
    record("billed_twice", len(provider.bill().calls) - len(provider.bill().by_prompt))
    assert (ended.status, ended.n_completed) == ("completed", CLUSTERS)
    assert len(provider.bill().calls) == CLUSTERS
    await check_bill(service, provider, generation_id)
    await check_units(service, generation_id)
    return ended


async def check_killed_at(
    point: str,
    provider: StubProvider,
    stack: Stack,
    service: Service,
    generation_id: UUID,
    *,
    calls: int,
    doubts: int,
    twice: int,
) -> None:
    """A worker is killed at the point and another goes on: what was billed twice is listed, all else is billed once."""
    doomed = stack.start("worker", "--concurrency", "1", HOLDFAST_FAULT=point)

    await died(doomed)
    stack.start("worker")
    seen = await until(service, generation_id, lambda status: status.ended)

    assert seen[-1].status == "completed"
    assert [s.progress for s in seen] == sorted(s.progress for s in seen)
    assert len(provider.bill().calls) == calls + twice
    await check_bill(service, provider, generation_id, twice=twice, doubts=doubts)
    await check_units(service, generation_id)


async def check_bill(
    service: Service, provider: StubProvider, generation_id: UUID, *, twice: int = 0, doubts: int = 0
) -> None:
    """The ledger is the provider's bill but for the calls in doubt, and nothing was paid twice that is not listed."""
    bill = provider.bill()
    status = await service.generations.status(generation_id)
    ledger = status.ledger
    assert ledger.n_in_doubt == doubts
    assert ledger.reserved == 0
    assert sum(bill.paid_twice.values()) - len(bill.paid_twice) == twice
    assert ledger.spent <= bill.usd <= ledger.spent + ledger.in_doubt
    if doubts == 0:
        assert ledger.spent == bill.usd


async def check_units(service: Service, generation_id: UUID) -> None:
    """Every unit ended as done, and every job is in one place."""
    sql = "SELECT state FROM holdfast.units WHERE generation_id = :id"
    rows = await service.database.run(lambda c: c.execute(text(sql), {"id": generation_id}))
    assert Counter(row.state for row in rows).keys() == {"done"}
    census = await service.generations.census(generation_id)
    assert census.in_two_states == 0
    status = await service.generations.status(generation_id)
    assert (await service.generations.hierarchy(generation_id)).n_assigned == status.n_answers
