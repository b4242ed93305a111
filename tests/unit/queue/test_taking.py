"""The take loop, on scripts that answer from memory."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast

import pytest

from holdfast.queue import Job
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Row, Scripts, Word
from holdfast.queue.work.taking import TakeLoop, TakeRules

ROW: Row = [b"x", b"1", b"{}", None, None, None, None, b"j-1"]


class OneJob:
    """Gives one job away, and calls `then` before the job's task has its first step."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then
        self._rows = [ROW]
        self.released: list[str] = []

    async def take(self, *_args: Any, **_options: Any) -> list[Row]:
        rows, self._rows = self._rows, []
        if rows:
            asyncio.get_running_loop().call_soon(self._then)
        return rows

    def complete_now(self, *_args: Any, **_options: Any) -> bool:
        return False

    async def wait_up(self) -> None:
        return

    async def release(self, held: Iterable[tuple[str, str]]) -> list[Word]:
        self.released += [job_id for job_id, _ in held]
        return ["ok"]


async def _never(_job: Job) -> None:
    raise AssertionError("it was cancelled before it began")


@pytest.mark.parametrize(("cause", "released"), [("release", ["j-1"]), ("lose", [])])
async def test_a_job_that_is_stopped_before_its_first_step_ends_all_the_same(cause: str, released: list[str]) -> None:
    def stop_it() -> None:
        for attempt in taking.running:
            getattr(attempt, cause)()
        taking.stop()

    scripts = OneJob(stop_it)
    rules = TakeRules(worker_id="w", concurrency=1, lock_ms=1_000)
    taking = TakeLoop(cast("Scripts", scripts), {"x": _never}, rules, Reporter())

    async with asyncio.timeout(5):
        await taking.run()

    assert scripts.released == released
    assert not taking.running


async def test_a_worker_whose_event_loop_is_closed_gives_back_a_job_that_has_not_begun() -> None:
    def cancel_all() -> None:  # as asyncio.run does at its end
        for attempt in taking.running:
            assert attempt.task is not None
            attempt.task.cancel()
        running.cancel()

    scripts = OneJob(cancel_all)
    rules = TakeRules(worker_id="w", concurrency=1, lock_ms=1_000)
    taking = TakeLoop(cast("Scripts", scripts), {"x": _never}, rules, Reporter())
    running = asyncio.create_task(taking.run())
    await asyncio.wait([running])

    await taking.let_go(5)

    assert scripts.released == ["j-1"]
    assert not taking.running
