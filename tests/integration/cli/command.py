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
from typing import IO

LIMIT = 200.0  # seconds; beyond that something hangs (a test has less, unless it asks for more)


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


class Lines:
    """What a command writes to one stream, read line by line as it comes."""

    def __init__(self, stream: IO[str] | None) -> None:
        assert stream is not None
        self.seen: list[str] = []
        self._arriving: queue.Queue[str | None] = queue.Queue()
        self._is_read = False
        self._reader = threading.Thread(target=self._read, args=(stream,))
        self._reader.start()

    def until(self, pattern: str) -> str:
        """The first line from here on with the pattern; fails when the stream ends without it."""
        while (line := self._next()) is not None:
            if re.search(pattern, line):
                return line
        raise AssertionError(f"it ended without {pattern!r}: {self.seen}")

    def end(self) -> str:
        """Everything it wrote, once it has ended."""
        self._reader.join(LIMIT)
        while self._next() is not None:
            pass
        return "".join(self.seen)

    def _next(self) -> str | None:
        if self._is_read:
            return None
        line = self._arriving.get(timeout=LIMIT)
        if line is None:
            self._is_read = True
        else:
            self.seen.append(line)
        return line

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._arriving.put(line)
        self._arriving.put(None)


class Running:
    """A command under way."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.out = Lines(process.stdout)
        self.err = Lines(process.stderr)

    def until(self, pattern: str) -> str:
        """The first line of stdout from here on with the pattern; fails when it ends without it."""
        try:
            return self.out.until(pattern)
        except AssertionError as error:
            raise AssertionError(f"{error} {self.err.end()}") from None

    def send(self, sign: signal.Signals) -> None:
        self.process.send_signal(sign)

    def end(self) -> Done:
        """Wait for its end."""
        code = self.process.wait(LIMIT)
        return Done(code=code, out=self.out.end(), err=self.err.end())


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
