"""Waiting for a result outlives what may happen to Redis meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from redis.exceptions import ResponseError

from holdfast.errors import JobFailed, QueueError, QueueUnavailable
from holdfast.queue.client.events import Events
from holdfast.queue.client.results import Results
from holdfast.queue.scripts import Fate

PENDING = Fate("pending", b"")


class StubLink:
    """Answers each command with the next of its answers; an exception is raised; then it waits for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def call(self, *command: Any) -> Any:
        self.asked.append(command[0])
        if not self.answers:
            await asyncio.Event().wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.answers.clear()


def events(*answers: Any, after: str = "$") -> Events:
    return Events(StubLink(*answers), "stream", after=after, kinds=None)  # type: ignore[arg-type]


class Looks:
    """What each look at the jobs finds."""

    def __init__(self, *found: Any) -> None:
        self.found = list(found)

    async def __call__(self, ids: Sequence[str]) -> list[Fate]:
        found = self.found.pop(0) if len(self.found) > 1 else self.found[0]
        if isinstance(found, Exception):
            raise found
        return [found for _ in ids]


@pytest.fixture
async def waiting() -> AsyncIterator[Any]:
    """`waiting(looks)` gives the results of a queue, closed with the test."""
    made: list[Results] = []

    def make(looks: Looks, *answers: Any) -> Results:
        made.append(Results(looks, lambda: events(*answers)))
        return made[-1]

    yield make
    for results in made:
        await results.close()


async def test_a_redis_that_is_away_is_waited_out(waiting: Any) -> None:
    results = waiting(Looks(QueueUnavailable("away"), PENDING, QueueUnavailable("away"), Fate("completed", b"[1]")))

    async with asyncio.timeout(5):
        assert await results.wait("j") == [1]


async def test_a_refusal_is_told_to_all_who_wait(waiting: Any) -> None:
    results = waiting(Looks(QueueError("no permission")))

    told = await asyncio.gather(results.wait("j"), results.wait("k"), return_exceptions=True)

    assert [str(error) for error in told] == ["no permission", "no permission"]


async def test_events_that_cannot_be_had_are_done_without(waiting: Any) -> None:
    results = waiting(Looks(PENDING, PENDING, Fate("completed", b"1")), ResponseError("WRONGTYPE no stream"))

    async with asyncio.timeout(5):
        assert await results.wait("j") == 1


async def test_a_returnvalue_that_is_no_json_is_an_error(waiting: Any) -> None:
    with pytest.raises(QueueError, match="no JSON"):
        await waiting(Looks(Fate("completed", b"undefined"))).wait("j")


async def test_each_waiter_has_an_error_of_its_own(waiting: Any) -> None:
    results = waiting(Looks(Fate("failed", b"no")))

    first, second = await asyncio.gather(results.wait("j"), results.wait("j"), return_exceptions=True)

    assert isinstance(first, JobFailed)
    assert isinstance(second, JobFailed)
    assert first is not second


async def test_a_waiter_that_gives_up_takes_nobody_with_it(waiting: Any) -> None:
    looks = Looks(PENDING)
    results = waiting(looks)
    staying = asyncio.create_task(results.wait("j"))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await results.wait("j")
    looks.found = [Fate("completed", b"2")]

    async with asyncio.timeout(5):
        assert await staying == 2


async def test_a_redis_that_takes_no_commands_for_a_while_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.queue.client.events.REFUSAL_PAUSE", 0)
    entry = [b"7-0", [b"added", b"j"]]
    reader = events(ResponseError("LOADING"), [], ResponseError("OOM"), [entry])

    async with reader, asyncio.timeout(5):
        event = await anext(reader)

    assert (event.id, event.kind, event.job_id) == ("7-0/1", "added", "j")


async def test_kinds_of_a_newer_release_are_passed_over() -> None:
    entry = [b"7-0", [b"blessed", b"j", b"added", b"k"]]

    async with events([entry], after="0") as reader, asyncio.timeout(5):
        event = await anext(reader)

    assert (event.id, event.kind, event.job_id) == ("7-0/2", "added", "k")
