"""A worker dies in the middle of a coding by a model: no bundle is paid twice that is not listed in doubt."""

import pytest
from tests.faults.service.paid import MODEL, check_killed_at
from tests.faults.service.stack import Stack, generation_of

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

    await check_killed_at(point, paying, stack, service, generation_id, calls=BUNDLES + 1, doubts=doubts, twice=twice)
