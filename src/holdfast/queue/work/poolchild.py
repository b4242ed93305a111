"""What runs in a process of a pool: it takes calls from its stdin and answers on what was its stdout.

Messages are a length and a pickle. What a processor prints goes to stderr.
"""

import ctypes
import importlib
import importlib.util
import os
import pickle
import queue
import signal
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, BinaryIO

import orjson

from holdfast.errors import HoldfastError, Unrecoverable

HEAD = struct.Struct(">Q")
PR_SET_PDEATHSIG = 1
MAIN = "__main__"


def pack(message: object) -> bytes:
    """A message as it goes through a pipe."""
    body = pickle.dumps(message)
    return HEAD.pack(len(body)) + body


@dataclass(frozen=True, slots=True)
class Call:
    """A job to run."""

    reference: tuple[str, str, str]  # module, function, file of the program if that is the module
    job_id: str
    name: str
    data: Any
    opts: dict[str, Any]
    attempts_made: int


@dataclass(frozen=True, slots=True)
class Outcry:
    """An error of a processor on its way to the worker."""

    pickled: bytes | None  # None when it cannot be pickled, or not read again
    text: str
    hopeless: bool  # whether another try is of no use
    trace: str

    def error(self) -> BaseException:
        """The error itself, or one that says the same."""
        if self.pickled is not None:
            error: BaseException = pickle.loads(self.pickled)  # noqa: S301 - written by our own child
            return error
        return Unrecoverable(self.text) if self.hopeless else RuntimeError(self.text)

    def cause(self) -> BaseException:
        """What shows the trace of the process in the worker's."""
        return HoldfastError(f"in its process:\n{self.trace}")

    @classmethod
    def of(cls, error: BaseException) -> "Outcry":
        """Pack an error, whatever it is."""
        trace = "".join(traceback.format_exception(error))
        pickled = _pickled(error) if isinstance(error, Exception) else None  # SystemExit would end the worker
        return cls(pickled, f"{type(error).__name__}: {error}", isinstance(error, Unrecoverable), trace)


def _pickled(error: Exception) -> bytes | None:
    try:
        pickled = pickle.dumps(error)
        pickle.loads(pickled)  # noqa: S301 - some can be written and not read
    except Exception:  # noqa: BLE001 - an error may hold anything
        return None
    return pickled


class ProcessJob:
    """A job as a processor in a process sees it."""

    __slots__ = ("_send", "attempts_made", "data", "id", "name", "opts")

    def __init__(self, call: Call, send: Callable[[object], None]) -> None:
        self.id = call.job_id
        self.name = call.name
        self.data = call.data  # the JSON value it was added with
        self.opts = call.opts  # Bull's options
        self.attempts_made = call.attempts_made  # attempts that failed so far
        self._send = send

    def update_progress(self, progress: Any) -> None:
        """Note how far it is: a number or any JSON value."""
        orjson.dumps(progress)  # it is this call that must not succeed with what is none
        self._send(("progress", progress))

    def log(self, line: str) -> None:
        """Add a line to the job's log."""
        self._send(("log", str(line)))


def serve(parent: int) -> None:
    """Run calls until the worker is gone."""
    _die_with(parent)
    calls, out = _take_pipes()
    lock = threading.Lock()

    def send(message: object) -> None:
        with lock:  # a processor may have threads
            out.write(pack(message))
            out.flush()

    inbox: queue.SimpleQueue[Call] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(calls, inbox), daemon=True).start()
    while True:
        call = inbox.get()
        send(_run(call, send))


def _die_with(parent: int) -> None:
    """A worker that is killed cannot end its processes: the kernel does, and the end of the pipe where it cannot."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the worker, out of reach of processors that read stdin or print."""
    calls, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return calls, out


def _read(calls: BinaryIO, inbox: "queue.SimpleQueue[Call]") -> None:
    while head := calls.read(HEAD.size):
        inbox.put(pickle.loads(calls.read(HEAD.unpack(head)[0])))  # noqa: S301 - written by the worker
    os._exit(0)  # the worker is gone


def _run(call: Call, send: Callable[[object], None]) -> "bytes | Outcry":
    try:
        value = _find(call.reference)(ProcessJob(call, send))
    except BaseException as error:  # noqa: BLE001 - also SystemExit: it is the job that ends, not the process
        return Outcry.of(error)
    try:
        return orjson.dumps(value)
    except TypeError as error:
        return Outcry.of(Unrecoverable(f"the processor's result is no JSON value: {error}"))


def _find(reference: tuple[str, str, str]) -> Callable[[ProcessJob], Any]:
    module, name, path = reference
    found: Any = _main(path) if path else importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    function: Callable[[ProcessJob], Any] = getattr(found, "function", found)  # in_process, used as a decorator
    return function


def _main(path: str) -> ModuleType:
    """The program's own file, loaded as a module: what is below `if __name__ == "__main__"` does not run."""
    known = sys.modules.get(MAIN)
    if known is not None and getattr(known, "__file__", None) == path:
        return known
    spec = importlib.util.spec_from_file_location("__holdfast_main__", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["__holdfast_main__"] = sys.modules[MAIN] = module  # so that its errors and classes are found again
    spec.loader.exec_module(module)
    for thing in vars(module).values():
        if getattr(thing, "__module__", None) == "__holdfast_main__" and isinstance(thing, type):
            thing.__module__ = MAIN
    return module
