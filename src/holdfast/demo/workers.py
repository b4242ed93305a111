"""Worker processes of the demo: started, killed, and always stopped."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from holdfast.errors import HoldfastError

STOP_SECONDS = 10.0


class WorkerProcess:
    """One `holdfast worker` in a process of its own."""

    def __init__(self, child: subprocess.Popen[bytes], log: Path) -> None:
        self._child = child
        self._log = log
        self.pid = child.pid
        self.killed = False

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def freeze(self) -> None:
        """Hold it where it is."""
        self._child.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._child.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, as a crash of its machine would; returns once it is gone."""
        self.killed = True
        self._child.kill()
        self._child.wait()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Its log records of that name."""
        found = []
        for line in self._log.read_bytes().splitlines():
            with contextlib.suppress(orjson.JSONDecodeError):
                record = orjson.loads(line)
                if isinstance(record, dict) and record.get("event") == name:
                    found.append(record)
        return found

    def last_words(self) -> str:
        """The end of its log."""
        return self._log.read_text("utf-8", "replace")[-2000:].strip()

    def ask_to_stop(self) -> None:
        if self.alive:
            self._child.send_signal(signal.SIGCONT)
            self._child.terminate()

    def end(self) -> None:
        """Wait for it to stop, and kill it if it does not."""
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        if self._child.stdin is not None:
            self._child.stdin.close()


class Workers:
    """All worker processes of one demo."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, concurrency: int) -> None:
        self._folder = folder
        self._environment = environment
        self._concurrency = concurrency
        self.all: list[WorkerProcess] = []

    @property
    def alive(self) -> list[WorkerProcess]:
        return [worker for worker in self.all if worker.alive]

    def start(self) -> WorkerProcess:
        """Start one more. It stops by itself when this process is gone: its stdin ends then."""
        log = self._folder / f"worker-{len(self.all) + 1}.log"
        command = [sys.executable, "-m", "holdfast", "worker", "--until-eof", f"--concurrency={self._concurrency}"]
        with log.open("wb") as file:
            child = subprocess.Popen(
                command,
                env={**os.environ, **self._environment},
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for the demo, which then stops its workers
            )
        worker = WorkerProcess(child, log)
        self.all.append(worker)
        return worker

    def with_pid(self, pid: int) -> WorkerProcess | None:
        return next((worker for worker in self.all if worker.pid == pid), None)

    def check(self) -> None:
        """Raise HoldfastError when one ended that nobody killed."""
        for worker in self.all:
            if not worker.alive and not worker.killed:
                raise HoldfastError(f"worker {worker.pid} ended by itself; its last words: {worker.last_words()}")

    async def stop(self) -> None:
        """Stop them all, gracefully if they can; a cancel meanwhile kills them."""
        try:
            for worker in self.all:
                worker.ask_to_stop()
            for worker in self.all:
                await asyncio.to_thread(worker.end)
        except asyncio.CancelledError:
            for worker in self.alive:
                worker.kill()
            raise
