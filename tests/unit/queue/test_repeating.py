"""A worker arms the next run also when Redis was away just then."""

import asyncio
from typing import Any, cast

import orjson
import pytest
import structlog.testing

from holdfast.queue.client import repeating
from holdfast.queue.client.repeating import Found, Repeating
from holdfast.queue.jobs.repeatables import Run
from holdfast.queue.link.wire import Interrupted
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Scripts


class Flaky:
    """Scripts on a connection that breaks at the first call of each kind."""

    def __init__(self) -> None:
        self.armed: asyncio.Future[Run | None] = asyncio.get_running_loop().create_future()
        self.looked = asyncio.Event()
        self._broke: set[str] = set()

    def _break_once(self, name: str) -> None:
        if name not in self._broke:
            self._broke.add(name)
            raise Interrupted("the connection to Redis broke")

    async def now_ms(self) -> int:
        self._break_once("now_ms")
        return 90_000

    async def arm(self, *args: Any) -> str:
        self._break_once("arm")
        if not self.armed.done():
            self.armed.set_result(args[3])
        return "ok"

    async def schedules(self, _start: int, _end: int) -> list[Any]:
        self._break_once("schedules")
        self.looked.set()
        return []


async def test_a_run_that_was_taken_is_followed_though_redis_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeating, "ARM_AGAIN", 0.001)
    monkeypatch.setattr(repeating, "CHECK_INTERVAL", 0.001)
    scripts = Flaky()
    worker = Repeating(cast("Scripts", scripts), "w", Reporter())
    opts = orjson.dumps(
        {"repeat": {"key": "n:::60000", "every": 60_000}, "jobId": "repeat:m:60000", "prevMillis": 60_000}
    )
    working = asyncio.create_task(worker.run())

    worker.see_to([[b"other", b"1", b"{}", None, b"17"], [b"n", b"1", opts, None, b"repeat:m:60000"]])

    async with asyncio.timeout(10):
        run = await scripts.armed
        await scripts.looked.wait()
    working.cancel()
    await asyncio.wait([working])
    assert run is not None
    assert run.job_id == "repeat:m:120000"


async def test_what_another_worker_armed_first_is_not_reported() -> None:
    class Slow(Flaky):
        async def arm(self, *_args: Any) -> str:
            return "moved"

    run = Run(key="n:::60000", stem="repeat:m", due_ms=60_000, name="n", data=b"1", opts={"repeat": {"every": 60_000}})
    found = Found(key=run.key, due_ms=60_000, word="taken", run=run, kept=True)
    worker = Repeating(cast("Scripts", Slow()), "w", Reporter())

    with structlog.testing.capture_logs() as logs:
        await worker._see_to_one(found, 90_000)

    assert logs == []
