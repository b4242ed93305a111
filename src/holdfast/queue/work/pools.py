"""Processors that run in processes of their own, for work that keeps a CPU busy.

Each process serves one job at a time, so that whatever happens to it, a crash, the kernel's out-of-memory killer, a
timeout or a cancel, happens to that one attempt. What runs there is in poolchild.py.
"""

import asyncio
import os
import pickle
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import orjson

from holdfast.errors import ProcessDied, QueueError
from holdfast.queue.jobs.job import Job
from holdfast.queue.work.execution import AsyncProcessor
from holdfast.queue.work.poolchild import HEAD, Call, Outcry, ProcessJob, pack

BOOT = (
    "import sys; sys.path[:] = sys.argv[2:]; from holdfast.queue.work.poolchild import serve; serve(int(sys.argv[1]))"
)


class InProcess:
    """A processor that runs in a process; made by `in_process`."""

    def __init__(self, function: Callable[[ProcessJob], Any]) -> None:
        self.function = function
        self.reference = _reference(function)

    def __call__(self, job: Any) -> Any:
        """Call it here, in this process, as a test may want to."""
        return self.function(job)


def in_process(function: Callable[[ProcessJob], Any]) -> InProcess:
    """Let a worker run this processor in a process of its own: `Worker(queue, {"crunch": in_process(crunch)})`.

    It must be a function at the top level of a module that can be imported, or of the program itself below
    `if __name__ == "__main__"`. It gets a `ProcessJob`: id, name, data, opts, attempts_made, and `update_progress` and
    `log`, which need no await. It is killed when the job times out, is cancelled or is another worker's by now; when
    its process dies, that attempt fails. QueueError when the function cannot be found again by its name.
    """
    return InProcess(function)


def _reference(function: Callable[..., Any]) -> tuple[str, str, str]:
    """Module, name in it, and the file of the program when that is the module."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if module is None or not name or "<" in name:
        raise QueueError(f"in_process takes a function at the top level of a module, not {function!r}")
    if module != "__main__":
        return module, name, ""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:  # python -m package.module
        return spec.name, name, ""
    path = getattr(main, "__file__", None)
    if path is None:
        raise QueueError(f"in_process cannot find {name} again: it was not defined in a file; move it to a module")
    return "", name, os.path.abspath(path)  # noqa: PTH100 - a Path would resolve links, which imports do not


class ProcessPool:
    """Up to `size` processes, started when they are needed and used again until something happens to them."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise QueueError(f"a worker needs 1 process or more for processors that are in_process, not {size}")
        self._room = asyncio.Semaphore(size)
        self._idle: list[_Child] = []
        self._children: set[_Child] = set()

    def processor(self, marked: InProcess) -> AsyncProcessor:
        """The processor as something to await; jobs beyond the size of the pool wait here, within their timeout."""

        async def in_child(job: Job) -> Any:
            call = Call(marked.reference, job.id, job.name, job.data, job.opts, job.attempts_made)
            async with self._room:
                return await self._serve(call, job)

        return in_child

    async def close(self) -> None:
        """Kill all processes and wait for their end."""
        for child in self._children:
            child.kill()
        await asyncio.gather(*(child.ended() for child in self._children))
        self._children.clear()
        self._idle.clear()

    async def _serve(self, call: Call, job: Job) -> Any:
        child = await self._child()
        try:
            answer = await child.serve(call, job)
        except BaseException:  # cancelled, or died: nothing that may be used again
            child.kill()
            raise
        self._idle.append(child)
        if isinstance(answer, Outcry):
            raise answer.error() from answer.cause()
        return orjson.Fragment(answer)

    async def _child(self) -> "_Child":
        self._children = {child for child in self._children if child.is_alive}
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child
        child = await _Child.start()
        self._children.add(child)
        return child


class _Child:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls) -> "_Child":
        """Start one, in a session of its own: Ctrl-C in a terminal is the worker's to handle."""
        arguments = [sys.executable, "-c", BOOT, str(os.getpid()), *sys.path]
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*arguments, stdin=pipe, stdout=pipe, start_new_session=True))

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return self._process.returncode is None

    async def serve(self, call: Call, job: Job) -> "bytes | Outcry":
        """Run one job: the JSON of its result, or its error; ProcessDied when the process ends instead."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(pack(call))
            await stdin.drain()
            while True:
                size = HEAD.unpack(await stdout.readexactly(HEAD.size))[0]
                match pickle.loads(await stdout.readexactly(size)):  # noqa: S301 - written by our own child
                    case ("progress", value):
                        await job.update_progress(value)
                    case ("log", line):
                        await job.log(line)
                    case answer:
                        return cast("bytes | Outcry", answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.kill()
            raise ProcessDied(job_id=job.id, how=_how(await self._process.wait())) from None

    def kill(self) -> None:
        """End it now, with all it started itself."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def ended(self) -> None:
        """Wait for its end."""
        await self._process.wait()


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"
