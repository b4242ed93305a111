"""Progress goes forward, across attempts; logs can be read."""

import asyncio
from typing import Any

import pytest

from holdfast.queue import Job, Queue

from .conftest import Until, Working


async def reported(queue: Queue, working: Working, *values: Any, **options: Any) -> Any:
    """What is noted when a processor reported these values."""

    async def report(job: Job) -> None:
        for value in values:
            await job.update_progress(value, **options)

    job = await queue.add("x")
    async with working({"x": report}):
        await job.result(timeout=10)
    found = await queue.get(job.id)
    assert found is not None
    return found.progress


@pytest.mark.parametrize(
    ("values", "noted"),
    [
        ((1, 3, 2), 3),
        ((0.5, 0.25), 0.5),
        ((-2, -1), -1),
        ((0, 0), 0),
        ((50, {"step": "b"}, 20), 20),
        (({"n": 9}, {"n": 1}), {"n": 1}),
        (("90", "10"), "10"),
        ((True, False), False),
        ((5, None), None),
    ],
)
async def test_a_number_never_goes_back_and_all_else_is_taken_as_it_is(
    queue: Queue, working: Working, values: Any, noted: Any
) -> None:
    assert await reported(queue, working, *values) == noted


async def test_a_number_goes_back_when_that_is_asked_for(queue: Queue, working: Working) -> None:
    assert await reported(queue, working, 80, 10, back=True) == 10


async def test_a_second_attempt_does_not_take_back_what_the_first_reported(
    queue: Queue, working: Working, until: Until
) -> None:
    seen: list[Any] = []

    async def halfway_then_from_the_start(job: Job) -> None:
        seen.append(job.progress)
        await job.update_progress(10)
        seen.append(job.progress)
        if job.attempts_made == 0:
            await job.update_progress(60)
            raise ValueError("halfway")

    job = await queue.add("x", attempts=2)
    async with queue.events(kinds=["progress"]) as events, working({"x": halfway_then_from_the_start}):
        await job.result(timeout=10)
        told = await events.up_to_now()

    found = await queue.get(job.id)
    assert found is not None
    assert found.progress == 60
    assert seen == [None, 10, 60, 60]
    assert [event.data for event in told] == [10, 60]


async def test_lines_of_a_log_are_read_in_order_and_in_part(queue: Queue, working: Working) -> None:
    async def talk(job: Job) -> None:
        for n in range(5):
            await job.log(f"line {n}")

    job = await queue.add("x")
    async with working({"x": talk}):
        await job.result(timeout=10)

    assert await queue.logs(job.id) == [f"line {n}" for n in range(5)]
    assert await queue.logs(job.id, 1, 2) == ["line 1", "line 2"]
    assert await queue.logs(job.id, -2) == ["line 3", "line 4"]
    assert await queue.logs("nobody") == []


async def test_a_large_progress_is_noted_and_not_told(queue: Queue, working: Working) -> None:
    async with queue.events(kinds=["progress"]) as events:
        noted = await reported(queue, working, "x" * 100_000)
        async with asyncio.timeout(5):
            event = await anext(events)

    assert len(noted) == 100_000
    assert event.data is None
