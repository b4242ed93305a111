"""The command `holdfast` as a user runs it: a process, its output, its exit code."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LIMIT = 200.0  # seconds; beyond that something hangs (a test has less, unless it asks for more)


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


class Running:
    """A command under way; its stdout is read line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._arriving: queue.Queue[str | None] = queue.Queue()
        self._is_read = False
        self._errors: list[str] = []
        self._readers = [threading.Thread(target=self._read), threading.Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()

    def until(self, pattern: str) -> str:
        """The first line from here on with the pattern; fails when stdout ends without it."""
        while (line := self._next_line()) is not None:
            if re.search(pattern, line):
                return line
        raise AssertionError(f"it ended without {pattern!r}: {self.lines} {self._errors}")

    def send(self, sign: signal.Signals) -> None:
        self.process.send_signal(sign)

    def end(self) -> Done:
        """Wait for its end."""
        code = self.process.wait(LIMIT)
        for reader in self._readers:
            reader.join(LIMIT)
        while self._next_line() is not None:
            pass
        return Done(code=code, out="".join(self.lines), err="".join(self._errors))

    def _next_line(self) -> str | None:
        if self._is_read:
            return None
        line = self._arriving.get(timeout=LIMIT)
        if line is None:
            self._is_read = True
        else:
            self.lines.append(line)
        return line

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._arriving.put(line)
        self._arriving.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self._errors += list(self.process.stderr)


class Holdfast:
    """Runs `holdfast` in an environment of its own."""

    def __init__(self, **environment: str) -> None:
        ours = ("HOLDFAST_", "REDIS_", "DATABASE_URL")
        kept = ("HOLDFAST_CACHE",)
        inherited = {name: value for name, value in os.environ.items() if name in kept or not name.startswith(ours)}
        self.environment = inherited | environment

    def run(self, *arguments: str | Path, **environment: str) -> Done:
        """Run it to its end."""
        with self.started(*arguments, **environment) as running:
            return running.end()

    @contextmanager
    def started(self, *arguments: str | Path, **environment: str) -> Iterator[Running]:
        """Start it; it is gone at the end of the block."""
        process = subprocess.Popen(
            [sys.executable, "-m", "holdfast", *map(str, arguments)],
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running = Running(process)
        try:
            yield running
        finally:
            process.kill()
            running.end()
