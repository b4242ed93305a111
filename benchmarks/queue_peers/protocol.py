"""What every Python peer does alike: take orders, time adds, and be the job that is run.

A peer is a program of its own, run by the Python of its own environment:
  PEER add single|bulk COUNT SECONDS   add no-op jobs until either runs out; prints {"added", "timed", "seconds"}
  PEER feed                            add each JSON line of stdin as a job, answer each with a JSON line
  PEER work CONCURRENCY                run jobs until killed
Environment: PEER_URL (Redis), PEER_WITNESS (file that each run of a job is noted in), PEER_LOCK (seconds a silent
worker keeps its jobs, where a peer has such a setting), PEER_SLEEP (seconds, instead of those that a job asks for),
PEER_HOLD (seconds that even a no-op job takes).
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

URL = os.environ.get("PEER_URL", "")
LOCK = float(os.environ["PEER_LOCK"]) if os.environ.get("PEER_LOCK") else None
HOLD = float(os.environ.get("PEER_HOLD", "0"))
QUEUE = "bench"
CHUNK = 1_000  # jobs one bulk call is given

Data = dict[str, Any]


class Adder(Protocol):
    """How a peer adds jobs, in its fastest documented way."""

    async def add(self, data: Data) -> object: ...

    async def add_many(self, many: Sequence[Data]) -> object: ...


class Witness:
    """Notes each run with one write to a file opened for appending: it survives whatever happens to the worker."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, text: bytes) -> None:
        os.write(self._file, text)

    def begin(self, data: Data) -> float:
        """Note that the job runs; the seconds it is to take (to be blocked when negative)."""
        if "id" in data:
            self.note(b"%d start %d %d\n" % (data["id"], os.getpid(), time.monotonic_ns()))
            if "PEER_SLEEP" in os.environ:
                return float(os.environ["PEER_SLEEP"])
            return -float(data["block"]) if data.get("block") else float(data.get("sleep", 0))
        if "t" in data:
            self.note(b"%d\n" % (time.monotonic_ns() - data["t"]))
        else:
            self.note(b".")
        return HOLD

    def end(self, data: Data) -> None:
        if "id" in data:
            self.note(b"%d end %d %d\n" % (data["id"], os.getpid(), time.monotonic_ns()))


witness = Witness(os.environ.get("PEER_WITNESS", os.devnull))


async def run(data: Data) -> None:
    """The job, for peers that run coroutines."""
    seconds = witness.begin(data)
    if seconds > 0:
        await asyncio.sleep(seconds)
    elif seconds < 0:
        time.sleep(-seconds)  # noqa: ASYNC251 - blocking the event loop is the fault to be seen
    witness.end(data)


def run_sync(data: Data) -> None:
    """The job, for peers that run functions."""
    if seconds := witness.begin(data):
        time.sleep(abs(seconds))  # the job's own work
    witness.end(data)


def faster_loop() -> Callable[..., Any]:
    """`asyncio.run`, or uvloop's where the environment has it."""
    try:
        import uvloop  # noqa: PLC0415 - only some environments have it
    except ImportError:
        return asyncio.run
    return uvloop.run  # type: ignore[no-any-return]


def main(open_adder: Callable[[], AbstractAsyncContextManager[Adder]], work: Callable[[int], object]) -> None:
    """Do what the command line asks for; `work` may be a coroutine function."""
    match sys.argv[1:]:
        case ["add", how, count, seconds]:
            faster_loop()(_add(open_adder, how, int(count), float(seconds)))
        case ["feed"]:
            faster_loop()(_feed(open_adder))
        case ["work", concurrency]:
            if asyncio.iscoroutinefunction(work):
                faster_loop()(work(int(concurrency)))
            else:
                work(int(concurrency))
        case _:
            sys.exit(__doc__)


async def _add(
    open_adder: Callable[[], AbstractAsyncContextManager[Adder]], how: str, count: int, limit: float
) -> None:
    """The first tenth (at most 100) opens connections and loads scripts; it is not timed."""
    warm = min(100, count // 10)
    async with open_adder() as adder:
        for n in range(warm):
            await adder.add({"n": n})
        done, begun = warm, time.perf_counter()
        while done < count and time.perf_counter() - begun < limit:
            if how == "single":
                await adder.add({"n": done})
                done += 1
            else:
                chunk = [{"n": n} for n in range(done, min(done + CHUNK, count))]
                await adder.add_many(chunk)
                done += len(chunk)
        seconds = time.perf_counter() - begun
    print(json.dumps({"added": done, "timed": done - warm, "seconds": seconds}), flush=True)


async def _feed(open_adder: Callable[[], AbstractAsyncContextManager[Adder]]) -> None:
    async with open_adder() as adder:
        await _answer({"ready": True})
        while line := await asyncio.to_thread(sys.stdin.readline):
            data = json.loads(line)
            if data.get("t") == 0:
                data["t"] = time.monotonic_ns()
            try:
                await adder.add(data)
            except Exception as error:  # noqa: BLE001 - whatever a peer raises is its answer
                await _answer({"error": f"{type(error).__name__}: {error}"[:200]})
            else:
                await _answer({"ok": True})


def _answer(words: dict[str, Any]) -> Awaitable[None]:
    print(json.dumps(words), flush=True)
    return asyncio.sleep(0)


async def at_once(add: Callable[[Data], Awaitable[object]], many: Sequence[Data], width: int = 100) -> None:
    """Add `width` at a time, for peers without a bulk call."""
    for first in range(0, len(many), width):
        await asyncio.gather(*(add(data) for data in many[first : first + width]))
