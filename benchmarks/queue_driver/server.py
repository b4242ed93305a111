"""A redis-server of the benchmark's own, on a free port and a folder that goes with it."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis

from holdfast.embedded.binaries import find_redis
from queue_driver.catalogue import Command, Peer

DATABASES = 32
LARGEST_AOF = 256 * 2**20  # bytes; a larger one is rewritten between measurements, never during one


class Server:
    """Use it as `with Server(program, fsync="everysec") as server:`."""

    def __init__(self, program: str | None = None, *, fsync: str = "everysec") -> None:
        self._program = program or str(find_redis())
        self._fsync = fsync
        self.folder = Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.backlogs: dict[str, tuple[int, int]] = {}  # peer -> jobs asked for and there, in its database
        self._process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis(port=self.port, socket_timeout=60)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self.client.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, again after `kill`; returns when its data are loaded."""
        appending = {"appendonly": "yes", "appendfsync": self._fsync, "auto-aof-rewrite-percentage": 0}
        place = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "databases": DATABASES, "save": ""}
        options = place | appending | {"aof-load-truncated": "yes", "maxclients": 4000}
        arguments = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen([self._program, *arguments], stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"redis-server did not start: {(self.folder / 'redis.log').read_text()[-500:]}")
            time.sleep(0.02)  # until it answers

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def aof(self) -> Path:
        """The file that is being appended to."""
        files = [*self.folder.glob("appendonlydir/*.incr.aof"), *self.folder.glob("appendonly.aof")]
        return max(files, key=lambda file: file.stat().st_mtime)

    def tidy(self) -> None:
        """Empty the database that is worked in, and keep the AOF small."""
        self.client.flushdb()
        if int(self.client.info("persistence").get("aof_current_size", 0)) > LARGEST_AOF:
            self.client.bgrewriteaof()
            while self.client.info("persistence")["aof_rewrite_in_progress"]:
                time.sleep(0.05)  # until the rewrite is over, which nothing announces

    def copy(self, source: int, target: int) -> None:
        """Make one database what another is, inside the server: the same backlog again, without its producer."""
        with redis.Redis(port=self.port, db=target, socket_timeout=60) as old:
            old.flushdb()
        with redis.Redis(port=self.port, db=source, socket_timeout=60) as origin:
            cursor = 0
            while True:
                cursor, keys = origin.scan(cursor, count=2_000)
                with origin.pipeline(transaction=False) as pipe:
                    for key in keys:
                        pipe.execute_command("COPY", key, key, "DB", target, "REPLACE")
                    pipe.execute()
                if cursor == 0:
                    return

    def left(self, peer: Peer) -> int:
        """How many of the peer's jobs are not done yet."""
        if not peer.pending_groups:
            return self.sum(peer.left)
        groups: list[Any] = []
        if self.client.exists(peer.pending_groups):
            groups = self.client.xinfo_groups(peer.pending_groups)
        length = int(self.client.xlen(peer.pending_groups))
        return sum(int(each["pending"]) + int(each.get("lag") or 0) for each in groups) if groups else length

    def sum(self, commands: Sequence[Command]) -> int:
        """The numbers that these commands answer, added up."""
        with self.client.pipeline() as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return sum(int(number) for number in pipe.execute())

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False
