"""Programs of ours, each a process of its own: started, frozen, killed, and always stopped."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from holdfast.errors import HoldfastError
from holdfast.service import Service

STOP_SECONDS = 10.0

# What a program may not find in its environment by chance: settings, servers, providers, their keys, proxies' ways.
_OURS = ("HOLDFAST_", "REDIS_", "DATABASE_URL", "ANTHROPIC_", "OPENAI_")


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that Holdfast reads, and with loopback reached directly."""
    kept = {name: value for name, value in environment.items() if not name.startswith(_OURS)}
    return kept | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


def environment_of(service: Service) -> dict[str, str]:
    """What a program needs to work on the service's servers with its settings, and with no others."""
    settings = service.settings
    chosen = {} if settings.models is None else {"HOLDFAST_MODELS": str(settings.models)}
    return {
        **chosen,
        "REDIS_URL": service.redis_url,
        "DATABASE_URL": service.database_url,
        "HOLDFAST_HOME": str(settings.home),
        "HOLDFAST_CACHE": str(settings.cache),
        "HOLDFAST_QUEUE_PREFIX": settings.queue_prefix,
        "HOLDFAST_LOCK_SECONDS": str(settings.lock_seconds),
        "HOLDFAST_RECONCILE_SECONDS": str(settings.reconcile_seconds),
        "HOLDFAST_LOG": "json",
    }


class Program:
    """One `holdfast …` in a process of its own."""

    def __init__(self, name: str, child: subprocess.Popen[bytes], log: Path) -> None:
        self._child = child
        self._log = log
        self.name = name
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

    def events(self, name: str, *, since: datetime | None = None) -> list[dict[str, Any]]:
        """Its log records of that name."""
        found = []
        for line in self._log.read_bytes().splitlines():
            with contextlib.suppress(orjson.JSONDecodeError):
                record = orjson.loads(line)
                if isinstance(record, dict) and record.get("event") == name and _is_since(record, since):
                    found.append(record)
        return found

    def output(self) -> str:
        """All it has written so far."""
        return self._log.read_text("utf-8", "replace")

    def last_words(self) -> str:
        """The end of its log."""
        return self.output()[-2000:].strip()

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


def when(record: Mapping[str, Any]) -> datetime:
    """The moment of a log record."""
    return datetime.fromisoformat(record["timestamp"])


def _is_since(record: Mapping[str, Any], since: datetime | None) -> bool:
    return since is None or when(record) >= since


class Programs:
    """All programs of one demo or drill."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self.all: list[Program] = []

    @property
    def alive(self) -> list[Program]:
        return [program for program in self.all if program.alive]

    def start(self, name: str, *arguments: str) -> Program:
        """Start `holdfast NAME ARGUMENTS`. It stops by itself when this process is gone: its stdin ends then."""
        log = self._folder / f"{name}-{len(self.all) + 1}.log"
        with log.open("wb") as file:
            child = subprocess.Popen(
                [sys.executable, "-m", "holdfast", name, "--until-eof", *arguments],
                env={**clean_environment(os.environ), **self._environment},
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for the one who started it, who then stops it
            )
        program = Program(name, child, log)
        self.all.append(program)
        return program

    async def ask(self, *arguments: str) -> bytes:
        """What `holdfast ARGUMENTS` prints. Raises HoldfastError when it fails."""
        child = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "holdfast", *arguments],
            env={**clean_environment(os.environ), **self._environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            said, complaint = await child.communicate()
        except asyncio.CancelledError:
            child.kill()
            raise
        if child.returncode:
            raise HoldfastError(f"holdfast {' '.join(arguments)}: {complaint.decode(errors='replace')[-500:].strip()}")
        return said

    def with_pid(self, pid: int) -> Program | None:
        return next((program for program in self.all if program.pid == pid), None)

    def check(self) -> None:
        """Raise HoldfastError when one ended that nobody killed."""
        for program in self.all:
            if not program.alive and not program.killed:
                words = program.last_words()
                raise HoldfastError(f"{program.name} {program.pid} ended by itself; its last words: {words}")

    async def stop(self, programs: Sequence[Program] | None = None) -> None:
        """Stop them (default: all), gracefully if they can; a cancel meanwhile kills them."""
        stopping = self.all if programs is None else programs
        try:
            for program in stopping:
                program.ask_to_stop()
            for program in stopping:
                await asyncio.to_thread(program.end)
                program.killed = True
        except asyncio.CancelledError:
            for program in self.alive:
                program.kill()
            raise
