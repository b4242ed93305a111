"""Server processes: start them apart from the terminal, find an owner's leftovers, end them in bounded time."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from holdfast.errors import EmbeddedError

LOG_LIMIT = 1 << 20  # bytes; a longer log is put aside (one generation back) when its server starts
START_LIMIT = 120.0  # seconds a living server may take to load or recover its data
ADOPT_LIMIT = 5.0  # seconds a leftover may take to answer before it is replaced
STOP_LIMIT = 10.0  # seconds a server may take to stop by itself before it is killed
POLL = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The user a server runs as, when it is not our own."""

    uid: int
    gid: int


class Process:
    """A running server: our child, or one adopted from an owner that died."""

    def __init__(self, pid: int, child: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self._child = child
        try:
            self._seen: psutil.Process | None = psutil.Process(pid)
        except psutil.NoSuchProcess:
            self._seen = None

    @property
    def alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        try:
            return self._seen is not None and self._seen.is_running() and self._seen.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def end(self, sign: signal.Signals, *, limit: float = STOP_LIMIT) -> None:
        """Send the signal; whatever lives after `limit` seconds is killed. Returns once it is gone."""
        self._send(sign)
        if wait_until(lambda: not self.alive, limit=limit):
            return
        self._send(signal.SIGKILL)
        wait_until(lambda: not self.alive, limit=STOP_LIMIT)

    @contextlib.contextmanager
    def killed_on_error(self) -> Iterator[None]:
        """Leave no half-started server behind, also when the one who waits for it is interrupted."""
        try:
            yield
        except BaseException:
            self.end(signal.SIGKILL)
            raise

    def _send(self, sign: signal.Signals) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sign)


def spawn(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    log: Path,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
) -> Process:
    """Start a server in a session of its own (a Ctrl-C is the owner's to handle), its output appended to `log`."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except OSError as error:
        raise EmbeddedError(f"{command[0]} cannot be started: {error}") from error
    finally:
        os.close(descriptor)
    return Process(child.pid, child)


def log_size(log: Path) -> int:
    """Where the log ends now; a long one is put aside first."""
    size = log.stat().st_size if log.exists() else 0
    if size <= LOG_LIMIT:
        return size
    log.replace(log.with_name(f"{log.name}.1"))
    return 0


def log_since(log: Path, start: int) -> str:
    """What the server wrote after its first `start` bytes."""
    with log.open("rb") as file:
        file.seek(start)
        return file.read(LOG_LIMIT).decode("utf-8", "replace")


def wait_until(holds: Callable[[], bool], *, limit: float) -> bool:
    """Wait for the condition, at most `limit` seconds; says whether it came true."""
    end = time.monotonic() + limit
    while not holds():
        if time.monotonic() >= end:
            return False
        time.sleep(POLL)
    return True


def is_dying(pid: int) -> bool:
    """Whether the process was killed a moment ago: it is still there, but its command line is not any more."""
    try:
        seen = psutil.Process(pid)
        return seen.pid != 0 and seen.status() != psutil.STATUS_ZOMBIE and not seen.cmdline()
    except psutil.Error:
        return False


def comes_up(process: Process, is_ready: Callable[[], bool], *, limit: float) -> bool:
    """Wait until a starting server is ready (True), or it has died or `limit` seconds are over (False)."""
    ready = False

    def settled() -> bool:
        nonlocal ready
        ready = process.alive and is_ready()
        return ready or not process.alive

    wait_until(settled, limit=limit)
    return ready


def processes_naming(matches: Callable[[list[str]], bool]) -> Iterator[Process]:
    """The living processes whose command line the predicate accepts; never this one."""
    for seen in psutil.process_iter(["cmdline", "status"]):
        command = seen.info["cmdline"]
        if command and seen.pid != os.getpid() and seen.info["status"] != psutil.STATUS_ZOMBIE and matches(command):
            yield Process(seen.pid)
