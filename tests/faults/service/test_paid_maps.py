"""A worker dies while it reads the parts of a large cluster: none is paid twice that is not listed in doubt."""

import pytest
from tests.faults.service.paid import MODEL, check_killed_at
from tests.faults.service.stack import Stack, generation_of

from holdfast.service import Service
from holdfast.stub import StubProvider

CLUSTERS, PARTS = 2, 2
SHORT = "call returned"  # the point at which most can be lost; the others go with the long tests
UNITS_BEFORE = 3  # prepare, embed, cluster

# Where the worker dies -> calls in doubt afterwards, calls that the provider billed twice. The second call is the
# first cluster's last part, the third its label.
POINTS = {
    "intent stored:2": (1, 0),
    "call returned:2": (1, 1),
    "reply stored:2": (0, 0),
    "reply stored:3": (0, 0),
    f"unit done:{UNITS_BEFORE + 1}": (0, 0),
}


@pytest.mark.parametrize(
    ("point", "doubts", "twice"),
    [
        pytest.param(point, *counts, marks=() if point.startswith(SHORT) else pytest.mark.long)
        for point, counts in POINTS.items()
    ],
)
async def test_a_worker_killed_between_the_parts_costs_at_most_the_part_it_was_asking_for(
    paying: StubProvider, stack: Stack, service: Service, point: str, doubts: int, twice: int
) -> None:
    generation_id = await generation_of(service, clusters=CLUSTERS, answers=60, model=MODEL, map_above=10)

    calls = CLUSTERS * (PARTS + 1)
    await check_killed_at(point, paying, stack, service, generation_id, calls=calls, doubts=doubts, twice=twice)
