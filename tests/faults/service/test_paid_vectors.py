"""A worker dies while the answers' vectors are bought: no chunk is paid twice that is not listed in doubt."""

import json

import pytest
from tests.faults.service.paid import check_killed_at
from tests.faults.service.stack import Stack, generation_of

from holdfast.service import Service
from holdfast.stub import StubProvider

EMBEDDER = "openai:embedding-model"
CHUNKS = 2
SHORT = "call returned"  # the point at which most can be lost; the others go with the long tests

# Where the worker dies -> calls in doubt afterwards, calls that the provider billed twice. `prepare` is the first unit.
POINTS = {
    "intent stored:2": (1, 0),
    "call returned:2": (1, 1),
    "reply stored:2": (0, 0),
    "unit computed:3": (0, 0),
    "unit done:3": (0, 0),
}


@pytest.fixture
def buying(paying: StubProvider, monkeypatch: pytest.MonkeyPatch) -> StubProvider:
    """The provider, of whom this process and those it starts buy vectors too. Ask for it before `service`."""
    monkeypatch.setenv("HOLDFAST_EMBEDDER", EMBEDDER)
    monkeypatch.setenv("HOLDFAST_PRICES", json.dumps({EMBEDDER: {"input": "3", "output": "15"}}))
    return paying


@pytest.mark.parametrize(
    ("point", "counts"),
    [
        pytest.param(point, counts, marks=() if point.startswith(SHORT) else pytest.mark.long)
        for point, counts in POINTS.items()
    ],
)
async def test_a_worker_killed_while_it_buys_vectors_costs_at_most_that_chunk(
    buying: StubProvider,
    stack: Stack,
    service: Service,
    point: str,
    counts: tuple[int, int],
) -> None:
    generation_id = await generation_of(service, clusters=4, answers=250)

    doubts, twice = counts
    await check_killed_at(point, buying, stack, service, generation_id, calls=CHUNKS, doubts=doubts, twice=twice)
