"""A worker dies around the one call that a small survey goes into: it is bought again at most once, and listed."""

import pytest
from tests.faults.service.paid import MODEL, check_killed_at
from tests.faults.service.stack import Stack, generation_of

from holdfast.service import Service
from holdfast.stub import StubProvider

# Where the worker dies -> calls in doubt afterwards, calls that the provider billed twice. `prepare` is the first unit.
POINTS = {
    "intent stored:1": (1, 0),
    "call returned:1": (1, 1),
    "reply stored:1": (0, 0),
    "unit computed:2": (0, 0),
    "unit done:2": (0, 0),
}


# The same kills in a stage of many calls are in test_paid_coding.py, the worst of them among the short tests.
@pytest.mark.long
@pytest.mark.parametrize(("point", "doubts", "twice"), [(point, *counts) for point, counts in POINTS.items()])
async def test_a_worker_killed_around_the_whole_survey_s_call_costs_at_most_that_call(
    paying: StubProvider, stack: Stack, service: Service, point: str, doubts: int, twice: int
) -> None:
    generation_id = await generation_of(service, clusters=None, model=MODEL, whole=True)

    await check_killed_at(point, paying, stack, service, generation_id, calls=1, doubts=doubts, twice=twice)
