"""How a step's run can end besides well: errors that tell their cost or do not, and cancellations at any moment."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from holdfast.durable import Answer, FileJournal, InDoubt, Intent, Reply, Steps
from holdfast.errors import JournalBroken, StepHeld

TWO = Decimal(2)


class SlowJournal(FileJournal):
    """Stands still in the method named `at` until `go_on` is set."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.at = ""
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def begin(self, intent: Intent, *, in_doubt: InDoubt) -> Answer:
        await self._gate("begin")
        return await super().begin(intent, in_doubt=in_doubt)

    async def settle(self, intent: Intent, reply: Reply) -> Any:
        await self._gate("settle")
        return await super().settle(intent, reply)

    async def fail(self, intent: Intent, *, error: str, cost: Decimal | None) -> None:
        await self._gate("fail")
        await super().fail(intent, error=error, cost=cost)

    async def _gate(self, name: str) -> None:
        if name == self.at:
            self.reached.set()
            await self.go_on.wait()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SlowJournal]:
    with SlowJournal(tmp_path / "journal.jsonl") as opened:
        yield opened


class Billed(Exception):
    """A call that was billed and brought nothing."""

    cost = Decimal("0.75")


class Unclear(Exception):
    """Nobody knows."""

    cost = None


async def answered() -> Reply:
    return Reply(value="label", cost=Decimal("1.50"))


def raising(error: BaseException) -> Callable[[], Awaitable[Reply]]:
    async def call() -> Reply:
        raise error

    return call


def run(journal: SlowJournal, call: Callable[[], Awaitable[Reply]] = answered, reserve: Decimal = TWO) -> Any:
    return Steps(journal, in_doubt="hold").run("label", call, inputs=["x"], reserve=reserve)


async def cancelled_at(journal: SlowJournal, at: str, call: Callable[[], Awaitable[Reply]] = answered) -> None:
    """Cancel a run while the journal is in `at`, then let the journal go on."""
    journal.at = at
    task = asyncio.create_task(run(journal, call))
    await journal.reached.wait()
    task.cancel()
    asyncio.get_running_loop().call_soon(journal.go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    journal.at = ""


@pytest.mark.parametrize(
    ("error", "reserve", "spent", "n_in_doubt"),
    [
        (Billed(), TWO, "0.75", 0),
        (Unclear(), TWO, "0", 1),
        (ValueError("says nothing of its cost"), TWO, "0", 1),
        (ValueError("of a call that costs nothing"), Decimal(0), "0", 0),
    ],
)
async def test_an_error_is_recorded_with_its_cost_and_what_nobody_knows_is_in_doubt(
    journal: SlowJournal, error: Exception, reserve: Decimal, spent: str, n_in_doubt: int
) -> None:
    with pytest.raises(type(error)):
        await run(journal, raising(error), reserve)

    assert (journal.spent, len(journal.doubts())) == (Decimal(spent), n_in_doubt)
    if n_in_doubt:
        with pytest.raises(StepHeld):
            await run(journal)
    else:
        assert await run(journal) == "label"


async def test_a_call_that_is_cut_off_by_a_cancellation_is_in_doubt(journal: SlowJournal) -> None:
    called = asyncio.Event()

    async def never_answered() -> Reply:
        called.set()
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(run(journal, never_answered))
    await called.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    with pytest.raises(StepHeld):
        await run(journal)
    assert [doubt.reserve for doubt in journal.doubts()] == [TWO]


async def test_a_reply_that_has_come_is_recorded_although_the_run_is_cancelled(journal: SlowJournal) -> None:
    await cancelled_at(journal, "settle")

    assert await run(journal, raising(AssertionError("paid a second time"))) == "label"
    assert journal.spent == Decimal("1.50")


async def test_a_failure_is_recorded_although_the_run_is_cancelled(journal: SlowJournal) -> None:
    await cancelled_at(journal, "fail", raising(Billed()))

    assert (journal.spent, journal.doubts()) == (Decimal("0.75"), [])
    assert await run(journal) == "label"


async def test_a_run_cancelled_before_its_call_leaves_no_doubt(journal: SlowJournal) -> None:
    await cancelled_at(journal, "begin", raising(AssertionError("called after its cancellation")))

    assert await run(journal) == "label"
    assert (journal.spent, journal.doubts()) == (Decimal("1.50"), [])


async def test_a_second_cancellation_does_not_wait_for_the_journal(journal: SlowJournal) -> None:
    journal.at = "settle"
    task = asyncio.create_task(run(journal))
    await journal.reached.wait()

    for _ in range(2):
        task.cancel()
        await asyncio.wait({task}, timeout=0)
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not journal.go_on.is_set()


async def test_runs_of_one_step_at_the_same_time_make_one_call(journal: SlowJournal) -> None:
    calls: list[int] = []

    async def counted() -> Reply:
        calls.append(1)
        return await answered()

    steps = Steps(journal, in_doubt="hold")
    values = await asyncio.gather(*(steps.run("label", counted, inputs=["x"], reserve=TWO) for _ in range(5)))

    assert (values, len(calls)) == (["label"] * 5, 1)


async def test_a_reply_that_could_not_be_written_is_in_doubt_and_the_error_is_told(journal: SlowJournal) -> None:
    async def answered_too_late() -> Reply:
        journal.close()
        return await answered()

    with pytest.raises(JournalBroken):
        await run(journal, answered_too_late)

    with FileJournal(journal.path) as again:
        assert [doubt.step for doubt in again.doubts()] == ["label"]
