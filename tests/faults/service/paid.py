"""Generations whose labels are bought from the stub provider, and what must be true of their money."""

from collections import Counter
from uuid import UUID

from sqlalchemy import text

from holdfast.service import Service
from holdfast.stub import StubProvider

MODEL = "anthropic:stub-model"


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
