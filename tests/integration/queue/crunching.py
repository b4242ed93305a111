"""Processors that run in processes of their own, for test_pools.py."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from holdfast.queue import Postponed, ProcessJob, Unrecoverable, in_process


def double(job: ProcessJob) -> dict[str, Any]:
    return {"doubled": job.data * 2, "pid": os.getpid()}


@in_process
def decorated(job: ProcessJob) -> str:
    return f"decorated {job.data}"


def view(job: ProcessJob) -> list[Any]:
    return [job.id, job.name, job.data, job.opts["attempts"], job.attempts_made]


def reporting(job: ProcessJob) -> str:
    print("this goes to stderr, not into the pipe")  # noqa: T201
    assert sys.stdin.read() == ""
    job.update_progress({"step": 1})
    threads = [threading.Thread(target=job.log, args=(f"line {n}" * 1_000,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return "x" * job.data


class OwnError(Exception):
    """Can be pickled."""


class Awkward(Exception):
    """Can be pickled, but not read again."""

    def __init__(self, *, why: str) -> None:
        super().__init__(f"awkward: {why}")


class Hopeless(Unrecoverable):
    """Neither."""

    def __init__(self) -> None:
        super().__init__("hopeless")
        self.lock = threading.Lock()


def broken(job: ProcessJob) -> object:
    match job.data:
        case "own":
            raise OwnError("my own")
        case "awkward":
            raise Awkward(why="it is")
        case "hopeless":
            raise Hopeless
        case "exit":
            sys.exit("enough")
        case _:
            return object()


def crash(job: ProcessJob) -> str:
    """Dies on the first attempt."""
    if job.attempts_made == 0:
        match job.data:
            case "exit":
                os._exit(7)
            case "segfault":
                ctypes.string_at(0)
            case _:
                os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out
    return "survived"


def early(job: ProcessJob) -> str:
    """Comes too early until the file it is told of is there."""
    if not Path(job.data).exists():
        Path(job.data).touch()
        raise Postponed(0.05)
    return f"attempts made: {job.attempts_made}"


def busy(job: ProcessJob) -> None:
    """Says who it is, and computes for ever, with a helper of its own."""
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    path = Path(job.data)
    path.with_suffix(".new").write_text(f"{os.getpid()} {helper.pid}")
    path.with_suffix(".new").rename(path)
    while True:
        pass


def nap(job: ProcessJob) -> int:
    time.sleep(job.data)
    return os.getpid()
