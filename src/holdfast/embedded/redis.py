"""A real Redis on 127.0.0.1 that keeps what it acknowledged: AOF every second, noeviction, a password of its own."""

import re
import signal
from functools import partial
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from holdfast.embedded.binaries import SERVER_NAMES, find_redis
from holdfast.embedded.folders import kept_secret, make_private, read_text, write_private, writing_to
from holdfast.embedded.ports import start_on_a_port
from holdfast.embedded.processes import (
    ADOPT_LIMIT,
    START_LIMIT,
    Process,
    comes_up,
    log_since,
    log_size,
    processes_naming,
    spawn,
)

# Not in the arguments but in a file, so that `ps` does not show the password; no RDB snapshots, the AOF is the record.
# The process title stays the command line: it names this folder, which is how a later owner knows its leftovers.
# appendfsync always: with everysec Redis answers before it writes when the disk is slow, and a kill then costs
# acknowledged writes (251 of 1,000 were seen lost on a busy machine). See docs/adr/0005-embedded-redis-syncs-always.md.
CONFIG = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir ./
appendonly yes
appendfsync always
save ""
maxmemory-policy noeviction
daemonize no
logfile ""
set-proc-title no
"""


class RedisServer:
    """One redis-server on one folder; start() again after stop() or kill() keeps port, password and data."""

    def __init__(self, folder: Path, *, password: str | None = None, port: int | None = None) -> None:
        self._given = folder
        self._password = password
        self._port = port
        self._process: Process | None = None
        self.version = ""

    @property
    def url(self) -> str:
        return f"redis://:{quote(self._password or '', safe='')}@127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.alive

    def start(self) -> None:
        """Return once the server answers and has loaded its data; adopts one that a dead owner left on the folder.

        Raises EmbeddedError (the folder, the port, the server's own last words) or NotConfigured (no program).
        """
        if self.running:
            return
        self._folder = make_private(self._given)
        self._config = self._folder / "redis.conf"
        self._log = self._folder / "redis.log"
        self._password = kept_secret(self._folder / "password", self._password)
        if not self._adopt():
            self._start_anew()

    def stop(self) -> None:
        """SIGTERM: Redis writes and syncs its AOF and goes; killed if it takes too long."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a fault would."""
        self._end(signal.SIGKILL)

    def _end(self, sign: signal.Signals) -> None:
        if self._process:
            self._process.end(sign)
            self._process = None

    def _adopt(self) -> bool:
        kept = self._kept_port()
        for leftover in list(processes_naming(self._is_our_command)):
            if kept and self._port in {None, kept} and self._comes_up(leftover, kept, ADOPT_LIMIT):
                self._port, self._process = kept, leftover
            else:
                leftover.end(signal.SIGTERM)
        return self.running

    def _start_anew(self) -> None:
        program = find_redis()
        with writing_to(self._folder):
            self._port = start_on_a_port(
                partial(self._attempt, program), fixed=self._port, kept=self._kept_port(), log=self._log
            )

    def _attempt(self, program: Path, port: int) -> str | None:
        write_private(self._config, CONFIG.format(port=port, password=_quoted(self._password or "")))
        start = log_size(self._log)
        process = spawn([program, self._config], cwd=self._folder, log=self._log)
        self._process = process  # from here on kill() can cut a long start short
        with process.killed_on_error():
            if self._comes_up(process, port, START_LIMIT):
                return None
        process.end(signal.SIGKILL)
        return log_since(self._log, start)

    def _comes_up(self, process: Process, port: int, limit: float) -> bool:
        return comes_up(process, lambda: self._is_ready(process, port), limit=limit)

    def _is_our_command(self, command: list[str]) -> bool:
        return Path(command[0]).name in SERVER_NAMES and command[1:] == [str(self._config)]

    def _is_ready(self, process: Process, port: int) -> bool:
        """Whether this very process, not another one on the port, answers to our password with its data loaded."""
        with redis.Redis(port=port, password=self._password, socket_timeout=5, retry=Retry(NoBackoff(), 0)) as client:
            try:
                info = client.info()
            except redis.RedisError:
                return False
        self.version = str(info["redis_version"])
        return bool(info["process_id"] == process.pid and not info["loading"])

    def _kept_port(self) -> int | None:
        found = re.search(r"^port (\d+)$", read_text(self._config) or "", re.MULTILINE)
        return int(found.group(1)) if found else None


def _quoted(password: str) -> str:
    return '"' + password.replace("\\", "\\\\").replace('"', '\\"') + '"'
