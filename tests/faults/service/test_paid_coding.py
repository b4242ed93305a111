"""A worker dies in the middle of a coding by a model: no bundle is paid twice that is not listed in doubt."""

import pytest
from tests.faults.service.paid import MODEL, check_bill, check_units
from tests.faults.service.stack import Stack, died, generation_of, until

from holdfast.service import Service
from holdfast.stub import StubProvider

BUNDLES = 3
SHORT = "call returned"  # the point at which most can be lost; the others go with the long tests

# Where the worker dies -> calls in doubt afterwards, calls that the provider billed twice.
POINTS = {
    "intent stored:3": (1, 0),
    "call returned:3": (1, 1),
    "reply stored:3": (0, 0),
    "unit computed:3": (0, 0),
    "unit done:3": (0, 0),
}


@pytest.mark.parametrize(
    ("point", "doubts", "twice"),
    [
        pytest.param(point, *counts, marks=() if point.startswith(SHORT) else pytest.mark.long)
        for point, counts in POINTS.items()
    ],
)
async def test_a_worker_killed_in_a_coding_costs_at_most_the_bundle_it_was_asking_for(
    paying: StubProvider, stack: Stack, service: Service, point: str, doubts: int, twice: int
) -> None:
    # The first bundle loses answers, and these are asked for in a call of their own: four calls, one after the other.
    paying.faults({"fault": "missing_ids", "times": 1})
    generation_id = await generation_of(service, clusters=None, model=MODEL, coding_type="sentiment")
    doomed = stack.start("worker", "--concurrency", "1", HOLDFAST_FAULT=point)

    await died(doomed)
    stack.start("worker")
    seen = await until(service, generation_id, lambda status: status.ended)

    assert seen[-1].status == "completed"
    assert [s.progress for s in seen] == sorted(s.progress for s in seen)
    assert len(paying.bill().calls) == BUNDLES + 1 + twice
    await check_bill(service, paying, generation_id, twice=twice, doubts=doubts)
    await check_units(service, generation_id)
