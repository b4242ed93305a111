"""Keeps repeatables going: the next run is armed as soon as one is taken, and what lost its next run gets it back."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from redis.exceptions import ResponseError

from holdfast.errors import BadJob
from holdfast.queue.jobs.repeatables import Millis, Run, following, run_of, stems_of
from holdfast.queue.link.wire import Interrupted
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Row, Schedule, Scripts, Standing

CHECK_INTERVAL = 10.0  # seconds between two looks for repeatables without a next run
LOOK_CHUNK = 100  # repeatables one look sees to
ARM_AGAIN = 0.5  # seconds before what Redis refused is tried again
PREFIX = b"repeat:"  # of the ids of their jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A repeatable, where its next job is, and the run that job is or was; None when nothing is known of it."""

    key: str
    due_ms: Millis
    word: str
    run: Run | None
    kept: bool  # whether what its jobs are made of is kept beside them

    def to_arm(self, now_ms: Millis) -> Run | None:
        """The run that is to come next: the missing one unless its time has passed, else the one behind it."""
        assert self.run is not None
        run = replace(self.run, due_ms=self.due_ms)
        return run if self.word == "missing" and self.due_ms > now_ms else following(run, now_ms)


async def look(scripts: Scripts, start: int) -> tuple[Millis, list[Found]]:
    """The server's time (ms) and up to LOOK_CHUNK repeatables from position `start`, the next to run first."""
    known = await scripts.schedules(start, start + LOOK_CHUNK - 1)
    pairs = [(key, stem) for key, _, kept in known for stem in ([kept.stem] if kept else stems_of(key))]
    now_ms, standings = await scripts.standing(pairs) if pairs else (0, [])
    found = []
    for key, score, kept in known:
        own = [standing for standing in standings if standing.key == key]
        found.append(_found(key, score, own, kept))
    return now_ms, [each for each in found if each.word != "gone"]


def _found(key: str, score: Millis, standings: Sequence[Standing], kept: Schedule | None) -> Found:
    there = next((each for each in standings if each.word in ("pending", "taken")), None)
    run = None
    try:
        if there is not None:
            run = run_of(there.name, there.data, there.opts)
        elif kept is not None:
            run = run_of(kept.name, kept.data, kept.opts)
    except BadJob:
        pass  # somebody else's; it is listed without what cannot be read
    word = (there or standings[0]).word if standings else "missing"
    due_ms = (there or standings[0]).due_ms if standings else score
    return Found(key=key, due_ms=due_ms, word=word, run=run, kept=kept is not None)


class Repeating:
    """Two endless loops; any number of workers may run them at once, because a run is armed by its own time."""

    def __init__(self, scripts: Scripts, worker_id: str, reporter: Reporter) -> None:
        self._scripts = scripts
        self._worker_id = worker_id
        self._reporter = reporter
        self._taken: list[tuple[str, bytes, bytes]] = []
        self._wake = asyncio.Event()
        self._told: set[str] = set()  # keys that cannot be kept going and were reported

    def see_to(self, rows: Iterable[Row]) -> None:
        """Jobs were taken; those of repeatables need their next runs."""
        taken = [row for row in rows if row[-1].startswith(PREFIX)]
        if taken:
            self._taken += [
                ((row[0] or b"").decode(errors="replace"), row[1] or b"null", row[2] or b"") for row in taken
            ]
            self._wake.set()

    async def run(self) -> None:
        """Keep them going until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._arming())
            group.create_task(self._looking())

    async def _arming(self) -> None:
        while True:
            self._wake.clear()
            try:
                while self._taken:
                    await self._arm_after(*self._taken[0])
                    self._taken.pop(0)
            except (Interrupted, ResponseError):
                await asyncio.sleep(ARM_AGAIN)
                continue
            await self._wake.wait()

    async def _arm_after(self, name: str, data: bytes, opts: bytes) -> None:
        try:
            run = run_of(name, data, opts)
            now_ms = await self._scripts.now_ms()
            next_run = following(run, now_ms)
        except BadJob as error:
            self._tell(name, str(error))
            return
        # Not there, or at another time: it was removed, or somebody else was faster.
        await self._scripts.arm(self._worker_id, run.key, run.due_ms, next_run, now_ms)

    async def _looking(self) -> None:
        start = 0
        while True:
            try:
                now_ms, found = await look(self._scripts, start)
                for each in found:
                    await self._see_to_one(each, now_ms)
                start = start + LOOK_CHUNK if len(found) == LOOK_CHUNK else 0
            except (Interrupted, ResponseError):
                pass  # the link reports it; the next look comes anyway
            await asyncio.sleep(CHECK_INTERVAL)

    async def _see_to_one(self, found: Found, now_ms: Millis) -> None:
        if found.run is None:
            self._tell(found.key, "its next job is gone, and nothing is known of what it was made of")
        elif found.word == "pending":
            if not found.kept:  # Node's; from now on it survives that its job is removed
                added_ms = int(found.run.opts.get("timestamp") or now_ms)
                await self._scripts.arm(self._worker_id, found.key, found.due_ms, found.run, added_ms)
        else:
            await self._arm_again(found, now_ms)

    async def _arm_again(self, found: Found, now_ms: Millis) -> None:
        try:
            run = found.to_arm(now_ms)
        except BadJob as error:
            self._tell(found.key, str(error))
            return
        word = await self._scripts.arm(self._worker_id, found.key, found.due_ms, run, now_ms)
        if word == "ok" and run is not None:
            self._reporter.warning("repeatable armed again", key=found.key, was=found.word, next_ms=run.due_ms)

    def _tell(self, key: str, error: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self._reporter.warning("repeatable cannot be kept going", key=key, error=error)
