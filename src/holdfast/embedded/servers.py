"""The servers of one data folder: owned by one process at a time, shared with the others on this machine.

HOME/owner.lock    locked by the owner; the system unlocks it when the owner dies, however it dies
HOME/servers.json  where the servers are, for the others; there once they are ready, private
HOME/redis         see redis.py
HOME/postgres      see postgres.py and cluster.py
"""

import contextlib
import fcntl
import json
import os
import time
import weakref
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil

from holdfast.embedded.folders import make_private, read_text, write_private, writing_to
from holdfast.embedded.keeper import Keeper, Server
from holdfast.embedded.postgres import PostgresServer
from holdfast.embedded.redis import RedisServer
from holdfast.errors import EmbeddedError

ATTACH_LIMIT = 30.0  # seconds to wait for an owner that is starting
POLL = 0.05
KINDS: dict[str, Callable[[Path], Server]] = {"redis": RedisServer, "postgres": PostgresServer}


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What the owner tells the other processes."""

    owner: int  # its process id
    owner_since: float  # when that process was created: process ids are used again
    urls: dict[str, str] = field(repr=False)  # by kind of server; they hold the passwords
    pids: dict[str, int | None]

    @property
    def is_fresh(self) -> bool:
        """False for one that a killed owner left behind."""
        try:
            return psutil.Process(self.owner).create_time() == self.owner_since
        except psutil.Error:
            return False


NOTHING = Announcement(owner=0, owner_since=0, urls={}, pids={})


class Servers:
    """The running servers; leave the context (or close()) to stop those that this process owns."""

    def __init__(
        self, home: Path, *, lock: IO[str] | None, wanted: frozenset[str], told: Announcement = NOTHING
    ) -> None:
        self._home = home
        self._lock = lock
        self._wanted = wanted
        self._told = told
        self._keepers = [
            Keeper(kind, KINDS[kind](home / kind), restarted=self._announce) for kind in sorted(wanted) if lock
        ]

    @property
    def owned(self) -> bool:
        """Whether this process started (or adopted) the servers and will stop them."""
        return self._lock is not None

    @property
    def redis_url(self) -> str:
        return self._url("redis")

    @property
    def database_url(self) -> str:
        return self._url("postgres")

    @property
    def redis_pid(self) -> int | None:
        return self._now().pids.get("redis")

    @property
    def postgres_pid(self) -> int | None:
        return self._now().pids.get("postgres")

    def close(self) -> None:
        """Stop the servers in bounded time and let the next owner in; does nothing to servers of another process."""
        if self._lock is None:
            return
        try:
            self._withdraw()
            for keeper in self._keepers:
                keeper.stop()
            self._withdraw()  # again: a keeper may have been announcing a restart
        finally:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        try:
            self._withdraw()
            for keeper in self._keepers:
                keeper.start()
            self._announce()
        except BaseException:
            self.close()
            raise

    def _announce(self) -> None:
        write_private(self._home / "servers.json", json.dumps(asdict(self._now())))

    def _withdraw(self) -> None:
        (self._home / "servers.json").unlink(missing_ok=True)

    def _now(self) -> Announcement:
        if self._lock is None:
            self._told = _announced(self._home) or self._told  # process ids change when a server is started again
            return self._told
        return Announcement(
            owner=os.getpid(),
            owner_since=psutil.Process().create_time(),
            urls={keeper.name: keeper.server.url for keeper in self._keepers},
            pids={keeper.name: keeper.server.pid for keeper in self._keepers},
        )

    def _url(self, kind: str) -> str:
        if kind not in self._wanted:
            raise EmbeddedError(f"these servers were opened without {kind}")
        return self._now().urls[kind]


def open_servers(home: Path, *, redis: bool = True, postgres: bool = True) -> Servers:
    """Start the servers of the folder, or find those that another living process runs on it.

    Returns when they are ready. Servers that a killed owner left running are adopted if they are sound, else replaced.
    Raises EmbeddedError or NotConfigured, with what to do.
    """
    wanted = frozenset(kind for kind, given in (("redis", redis), ("postgres", postgres)) if given)
    if not wanted:
        return Servers(home, lock=None, wanted=wanted)
    folder = make_private(home)
    end = time.monotonic() + ATTACH_LIMIT
    while (lock := _take_lock(folder)) is None:
        if told := _announced(folder):
            return _attach(folder, told, wanted)
        if time.monotonic() > end:
            raise EmbeddedError(
                f"another process holds {folder} but its servers were not ready in {ATTACH_LIMIT:.0f} s; "
                "see the logs in that folder, stop that process, or set HOLDFAST_HOME to another folder"
            )
        time.sleep(POLL)
    servers = Servers(folder, lock=lock, wanted=wanted)
    servers._start()  # noqa: SLF001 - half of its construction
    return servers


def _attach(folder: Path, told: Announcement, wanted: frozenset[str]) -> Servers:
    missing = wanted - told.urls.keys()
    if missing:
        raise EmbeddedError(
            f"process {told.owner} owns {folder} and runs no {' and no '.join(sorted(missing))} there; "
            "give this process the same REDIS_URL and DATABASE_URL as that one, or set HOLDFAST_HOME to another folder"
        )
    return Servers(folder, lock=None, wanted=wanted, told=told)


_locks: weakref.WeakSet[IO[str]] = weakref.WeakSet()


def _forget_locks() -> None:
    for lock in _locks:
        lock.close()


# A forked child shares the lock: one that outlives the owner would lock out the next owner.
os.register_at_fork(after_in_child=_forget_locks)


def _take_lock(folder: Path) -> IO[str] | None:
    with writing_to(folder):
        file = (folder / "owner.lock").open("a")  # not inherited by the servers, so that it ends with its owner
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
    _locks.add(file)
    return file


def _announced(folder: Path) -> Announcement | None:
    with contextlib.suppress(ValueError, TypeError):
        told = Announcement(**json.loads(read_text(folder / "servers.json") or ""))
        return told if told.is_fresh else None
    return None
