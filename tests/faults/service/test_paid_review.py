"""A worker dies around the review of the whole frame: one call more than the labels, and nothing else is different."""

import pytest
from tests.faults.service.paid import MODEL, check_bill, check_units
from tests.faults.service.stack import Stack, died, generation_of, until

from holdfast.service import Service
from holdfast.stub import StubProvider

LABELS = 4
UNITS_BEFORE = 3 + LABELS  # prepare, embed, cluster, and the labels

# Where the worker dies -> calls in doubt afterwards, calls that the provider billed twice.
POINTS = {
    f"intent stored:{LABELS + 1}": (1, 0),
    f"call returned:{LABELS + 1}": (1, 1),
    f"reply stored:{LABELS + 1}": (0, 0),
    f"unit computed:{UNITS_BEFORE + 1}": (0, 0),
    f"unit done:{UNITS_BEFORE + 1}": (0, 0),
}


# The same kills in a stage of many calls are in test_paid_coding.py, the worst of them among the short tests.
@pytest.mark.long
@pytest.mark.parametrize(("point", "doubts", "twice"), [(point, *counts) for point, counts in POINTS.items()])
async def test_a_worker_killed_in_the_review_costs_at_most_that_call(
    paying: StubProvider, stack: Stack, service: Service, point: str, doubts: int, twice: int
) -> None:
    generation_id = await generation_of(service, clusters=LABELS, model=MODEL, hierarchy="two_level", review=True)
    doomed = stack.start("worker", "--concurrency", "1", HOLDFAST_FAULT=point)

    await died(doomed)
    stack.start("worker")
    seen = await until(service, generation_id, lambda status: status.ended)

    assert seen[-1].status == "completed"
    assert [s.progress for s in seen] == sorted(s.progress for s in seen)
    assert len(paying.bill().calls) == LABELS + 1 + twice
    await check_bill(service, paying, generation_id, twice=twice, doubts=doubts)
    await check_units(service, generation_id)
