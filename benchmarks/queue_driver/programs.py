"""The peers' programs as processes: started, listened to, stopped; each in a session of its own."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from queue_driver.environments import Environment


class Failed(Exception):
    """A peer did not do what it was asked to within its time."""


def add(environment: Environment, url: str, how: str, count: int, seconds: float, **variables: str) -> dict[str, Any]:
    """Let the peer add so many jobs, for at most so long; what it says it did."""
    settings = os.environ | environment.variables | {"PEER_URL": url} | variables
    asked = [*environment.command, "add", how, str(count), str(seconds)]
    try:
        done = subprocess.run(asked, env=settings, capture_output=True, text=True, timeout=seconds + 30, check=False)
    except subprocess.TimeoutExpired:
        raise Failed(f"adding took longer than {seconds + 30:.0f} s") from None
    answers = [line for line in done.stdout.splitlines() if line.startswith('{"added"')]
    if not answers:
        raise Failed(f"adding failed: {done.stderr.strip()[-300:]}")
    return dict(json.loads(answers[-1]))


class Feeder:
    """A producer that adds one job at a time, as told."""

    def __init__(self, environment: Environment, url: str, **variables: str) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        settings = os.environ | environment.variables | {"PEER_URL": url} | variables
        self._process = subprocess.Popen(
            [*environment.command, "feed"],
            env=settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(self._process.stdout, selectors.EVENT_READ)
        self._unread = b""
        self._answer(30)

    def add(self, job: dict[str, Any], *, limit: float = 10.0) -> str:
        """Empty when the peer says that the job was added, else its error. Failed when it is silent for `limit` s."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        self._process.stdin.flush()
        return str(self._answer(limit).get("error", ""))

    def close(self) -> None:
        kill(self._process)
        self._waiting.close()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()

    def _answer(self, limit: float) -> dict[str, Any]:
        deadline = time.monotonic() + limit
        while True:
            while b"\n" in self._unread:
                line, self._unread = self._unread.split(b"\n", 1)
                if line.startswith(b"{"):
                    return dict(json.loads(line))
            if not self._waiting.select(max(0.0, deadline - time.monotonic())):
                raise Failed(f"the producer did not answer within {limit:g} s")
            assert self._process.stdout is not None
            chunk = os.read(self._process.stdout.fileno(), 65_536)
            if not chunk:
                self._log.seek(0)
                raise Failed(f"the producer ended: {self._log.read().decode(errors='replace').strip()[-300:]}")
            self._unread += chunk


class WorkerProcess:
    """A worker, and the file in which it notes each job that it runs."""

    def __init__(self, environment: Environment, url: str, concurrency: int, folder: Path, **variables: str) -> None:
        descriptor, name = tempfile.mkstemp(prefix="witness-", dir=folder)
        os.close(descriptor)
        self.witness = Path(name)
        self._log = self.witness.with_suffix(".log")
        settings = os.environ | environment.variables | {"PEER_URL": url, "PEER_WITNESS": name} | variables
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*environment.command, "work", str(concurrency)],
                env=settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def noted(self) -> int:
        """Bytes in the witness file: one for each no-op job."""
        return self.witness.stat().st_size

    def lines(self) -> list[str]:
        return self.witness.read_text().splitlines()

    def wait_noted(self, *, more_than: int = 0, limit: float = 25.0) -> None:
        """Return when the worker has noted something. Failed when it ends or takes too long."""
        deadline = time.monotonic() + limit
        while self.noted <= more_than:
            if self.process.poll() is not None:
                raise Failed(f"the worker ended ({self.process.returncode}): {self.last_words()}")
            if time.monotonic() > deadline:
                raise Failed(f"the worker ran nothing within {limit:g} s: {self.last_words()}")
            time.sleep(0.001)  # workers of any language tell by a file

    def last_words(self) -> str:
        return self._log.read_text(errors="replace").strip()[-300:]

    def cpu_seconds(self) -> float:
        """CPU time of the worker and all its processes, also of those that ended."""
        total = 0.0
        for process in _family(self.process.pid):
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def signal(self, sign: signal.Signals, *, all_of_it: bool = True) -> None:
        """Send a signal to the worker and its processes, or to its first process alone."""
        for process in _family(self.process.pid) if all_of_it else [psutil.Process(self.process.pid)]:
            with contextlib.suppress(psutil.Error):
                process.send_signal(sign)

    def kill(self) -> None:
        kill(self.process)


@contextmanager
def closing(*programs: WorkerProcess | Feeder) -> Iterator[None]:
    """Kill them when the block ends, however it ends."""
    try:
        yield
    finally:
        for program in programs:
            program.close() if isinstance(program, Feeder) else program.kill()


def kill(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL a process that we started, and what it started."""
    for one in _family(process.pid):
        with contextlib.suppress(psutil.Error):
            one.kill()
    process.wait()


def _family(pid: int) -> list[psutil.Process]:
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []
