"""A worker dies around the review of the whole frame: one call more than the labels, and nothing else is different."""

import pytest
from tests.faults.service.paid import MODEL, check_killed_at
from tests.faults.service.stack import Stack, generation_of

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

    await check_killed_at(point, paying, stack, service, generation_id, calls=LABELS + 1, doubts=doubts, twice=twice)
