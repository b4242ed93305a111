"""A real PostgreSQL on 127.0.0.1: fsync on, a password of its own, recovers from a kill of any of its processes."""

import hashlib
import os
import signal
import subprocess
from functools import partial
from pathlib import Path
from urllib.parse import quote

import psutil

from holdfast.embedded.binaries import find_postgres, postgres_major, postgres_version
from holdfast.embedded.cluster import (
    DATABASE,
    ENVIRONMENT,
    USER,
    account_for,
    create_cluster,
    let_through,
    reset_password,
)
from holdfast.embedded.folders import kept_secret, make_private, read_text, write_private, writing_to
from holdfast.embedded.ports import start_on_a_port
from holdfast.embedded.processes import (
    ADOPT_LIMIT,
    START_LIMIT,
    STOP_LIMIT,
    Account,
    Process,
    comes_up,
    is_dying,
    log_since,
    log_size,
    processes_naming,
    spawn,
    wait_until,
)
from holdfast.errors import EmbeddedError

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may have 107 bytes, a data folder's more
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",  # in the folder: nothing is left in /dev/shm, whose size containers limit
    "max_connections": "200",
    "jit": "off",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",  # no DETAIL and no statement: they can hold an answer's text
    "log_min_error_statement": "panic",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresServer:
    """One PostgreSQL on one folder; start() again after stop() or kill() keeps port, password and data."""

    def __init__(self, folder: Path, *, password: str | None = None, port: int | None = None) -> None:
        self._given = folder
        self._password = password
        self._port = port
        self._process: Process | None = None
        self.version = ""

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{quote(self._password or '', safe='')}@127.0.0.1:{self._port}/{DATABASE}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.alive

    def start(self) -> None:
        """Return once the server takes connections, after it has recovered if it must; adopts a dead owner's server.

        Raises EmbeddedError (the folder, the port, the server's own last words) or NotConfigured (no program).
        """
        if self.running:
            return
        self._folder = make_private(self._given)
        self._data = self._folder / "data"
        self._log = self._folder / "postgres.log"
        self._cluster = "holdfast-" + hashlib.sha256(os.fsencode(self._data)).hexdigest()[:16]
        self._password = kept_secret(self._folder / "password", self._password)
        self._programs = find_postgres(major=(read_text(self._data / "PG_VERSION") or "").strip() or None)
        if not self._adopt():
            with writing_to(self._folder):
                self._start_anew()
        self.version = postgres_version(self._programs)

    def stop(self) -> None:
        """SIGINT, the fast shutdown: connections are cut, all is written; killed if it takes too long."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL of the postmaster, as a fault would; its backends see that and go, or start() ends them."""
        self._end(signal.SIGKILL)

    def sql(self, statement: str, *, database: str = DATABASE) -> str:
        """Run one statement by the wheel's psql and return what it prints, for administration and tests."""
        ended = self._psql(statement, database)
        if ended.returncode != 0:
            raise EmbeddedError(f"psql failed: {ended.stderr.strip()}")
        return ended.stdout.strip()

    def _end(self, sign: signal.Signals) -> None:
        if self._process:
            self._process.end(sign)
            self._process = None

    def _adopt(self) -> bool:
        kept, told = self._kept_port(), self._postmaster().get("pid")
        found = list(processes_naming(self._is_our_command))
        # A backend that was forked this instant still has its postmaster's command line.
        for leftover in [process for process in found if str(process.pid) == told] or found:
            if kept and self._port in {None, kept} and self._is_ours(leftover, kept):
                self._port, self._process = kept, leftover
            else:
                leftover.end(signal.SIGINT)
        return self.running

    def _is_our_command(self, command: list[str]) -> bool:
        return Path(command[0]).name == "postgres" and command[1:3] == ["-D", str(self._data)]

    def _is_ours(self, leftover: Process, port: int) -> bool:
        if not comes_up(leftover, lambda: self._is_ready(leftover, port), limit=ADOPT_LIMIT):
            return False
        return self._psql("SHOW data_directory", port=port).stdout.strip() == str(self._data)

    def _start_anew(self) -> None:
        account = account_for(self._data)
        if account:
            let_through(self._programs, self._folder)
        self._clear_the_way()
        if not self._data.exists():
            create_cluster(self._programs, self._data, account=account, password=self._password or "")
        attempt = partial(self._attempt, account)
        self._port = start_on_a_port(attempt, fixed=self._port, kept=self._kept_port(), log=self._log)
        if "password authentication failed" in self._psql("SELECT 1").stderr:
            self.stop()
            reset_password(self._programs, self._data, account=account, password=self._password or "")
            start_on_a_port(attempt, fixed=self._port, kept=None, log=self._log)

    def _clear_the_way(self) -> None:
        """No postmaster of this folder lives; end what is left of one, and forget its pid if the system has not.

        PostgreSQL itself clears a stale postmaster.pid and shared memory, but not while an orphaned backend is attached
        to it, nor if the file is empty, nor while the pid exists: as a zombie that nobody reaps, or as another
        program's (after a restart of a container most pids are).
        """
        told = self._postmaster().get("pid", "")
        pid = int(told) if told.isdecimal() else 0
        wait_until(lambda: not is_dying(pid), limit=STOP_LIMIT)
        for orphan in list(processes_naming(lambda command: command[0].startswith(f"postgres: {self._cluster}: "))):
            orphan.end(signal.SIGKILL)
        if not pid or psutil.pid_exists(pid):
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _attempt(self, account: Account | None, port: int) -> str | None:
        write_private(self._folder / "port", str(port))
        options = {**SETTINGS, "port": str(port), "cluster_name": self._cluster}
        if int(postgres_major(self._programs)) >= 18:
            options["io_method"] = "sync"  # no I/O processes of its own
        command: list[str | Path] = [self._programs / "postgres", "-D", self._data]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        start = log_size(self._log)
        process = spawn(command, cwd=self._data, log=self._log, account=account, env=ENVIRONMENT)
        self._process = process  # from here on kill() can cut a long start short
        with process.killed_on_error():
            if comes_up(process, lambda: self._is_ready(process, port), limit=START_LIMIT):
                return None
        process.end(signal.SIGKILL)
        return log_since(self._log, start)

    def _is_ready(self, process: Process, port: int) -> bool:
        told = self._postmaster()
        return told.get("pid") == str(process.pid) and told.get("port") == str(port) and told.get("status") == "ready"

    def _postmaster(self) -> dict[str, str]:
        """What postmaster.pid says; a field is missing while the server has not written it yet."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return {}
        names = ("pid", "data", "started", "port", "socket", "address", "memory", "status")
        return {name: line.strip() for name, line in zip(names, lines, strict=False)}

    def _kept_port(self) -> int | None:
        kept = read_text(self._folder / "port") or ""
        return int(kept) if kept.isdecimal() else None

    def _psql(
        self, statement: str, database: str = DATABASE, *, port: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        where = f"host=127.0.0.1 port={port or self._port} user={USER} dbname={database} connect_timeout=10"
        return subprocess.run(
            [self._programs / "psql", "-XAtwq", "-d", where, "-c", statement],
            env={**ENVIRONMENT, "PGPASSWORD": self._password or "", "PGCLIENTENCODING": "UTF8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
