"""A worker in a process of its own, for tests that kill, freeze or starve it.

`python child.py URL PROCESSOR [OPTION=VALUE …]`: serves the queue `q`; prints a JSON line for each thing that happens.
"""

import asyncio
import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import structlog

from holdfast.queue import Job, LockLost, Queue, Worker


def say(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event} | fields, default=str), flush=True)  # noqa: T201 - this is what the test reads


async def forever(job: Job) -> None:
    say("begun", id=job.id, token=job.token)
    await asyncio.Event().wait()


async def stubborn(job: Job) -> str:
    """Goes on whatever happens, as a paid call does, and tries to report."""
    say("begun", id=job.id, token=job.token)
    while not job.lock_lost.is_set():
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            break
    for report in (job.update_progress("zombie"), job.log("zombie")):
        try:
            await report
        except LockLost:
            say("refused", id=job.id)
    return "zombie"


async def blocking(job: Job) -> str:
    """Holds the event loop and the CPU."""
    say("begun", id=job.id, token=job.token)
    until = time.monotonic() + job.data
    while time.monotonic() < until:
        pass
    say("ended", id=job.id)
    return "by the blocked one"


async def poison(job: Job) -> None:
    say("begun", id=job.id, token=job.token)
    os.kill(os.getpid(), signal.SIGKILL)


async def quick(job: Job) -> str:
    say("begun", id=job.id, token=job.token)
    await asyncio.sleep(0.01)
    return "done"


async def holding(job: Job) -> str:
    """Waits for SIGUSR1, once for all; an endless one does not end, a brief one at once."""
    say("begun", id=job.id, data=job.data)
    if job.data != "brief":
        await (asyncio.Event() if job.data == "endless" else GO_ON).wait()
    say("ended", id=job.id)
    return "held"


async def witnessed(job: Job) -> str:
    """Takes a moment, and writes down when it began and ended, so that a kill cannot take it back."""
    note(job, "begun")
    await asyncio.sleep(job.data)
    note(job, "ended")
    return "done"


def note(job: Job, what: str) -> None:
    with Path(os.environ["HOLDFAST_TEST_WITNESS"]).open("ab", buffering=0) as witness:
        witness.write(f"{what} {job.id} {os.getpid()} {time.monotonic()}\n".encode())


async def c_call(job: Job) -> str:
    """After SIGUSR1, one C call that holds the GIL, and with it every thread, for so many seconds."""
    say("begun", id=job.id)
    await GO_ON.wait()
    ctypes.PyDLL(None).usleep(int(job.data * 1_000_000))
    say("ended", id=job.id)
    return "by the one in C"


async def advancing_poison(job: Job) -> str:
    """Kills its worker after each step; five steps are all there is to do."""
    step = (job.progress or 0) + 1
    say("begun", id=job.id, token=job.token)
    await job.update_progress(step)
    if step < 6:
        os.kill(os.getpid(), signal.SIGKILL)
    return "in steps"


GO_ON = asyncio.Event()
PROCESSORS = {
    f.__name__: f for f in (forever, stubborn, blocking, poison, quick, holding, c_call, advancing_poison, witnessed)
}


async def main(url: str, processor: str, options: dict[str, float]) -> None:
    structlog.configure(processors=[_say_all])
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, GO_ON.set)
    async with Queue("q", url=url) as queue:
        options["concurrency"] = int(options.get("concurrency", 10))
        worker = Worker(queue, {"x": PROCESSORS[processor]}, **options)  # type: ignore[arg-type]
        await worker.run()


def _say_all(_logger: object, _level: str, fields: structlog.typing.EventDict) -> NoReturn:
    say(**fields)
    raise structlog.DropEvent


if __name__ == "__main__":
    given = (argument.split("=") for argument in sys.argv[3:])
    asyncio.run(main(sys.argv[1], sys.argv[2], {name: float(value) for name, value in given}))
