"""The servers of one data folder: owned by one process at a time, shared with the others on this machine.

HOME/*.lock        see sharing.py
HOME/servers.json  where the servers are, for the others; there once they are ready, see announcements.py
HOME/redis         see redis.py
HOME/postgres      see postgres.py and cluster.py
"""

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import unquote, urlsplit

import structlog

from holdfast.embedded.announcements import NOTHING, Announcement, announce, announced, last_announced, withdraw
from holdfast.embedded.folders import make_private
from holdfast.embedded.keeper import Keeper, Server
from holdfast.embedded.postgres import PostgresServer
from holdfast.embedded.redis import RedisServer
from holdfast.embedded.sharing import Share
from holdfast.errors import EmbeddedError, HoldfastError

log = structlog.get_logger(__name__)

ATTACH_LIMIT = 30.0  # seconds to wait for an owner that is starting
POLL = 0.05
HEIR_LOOKS = 1.0  # seconds between two looks of an attached process whether the servers still have an owner


class Kind(Protocol):
    """What makes a server of a folder."""

    def __call__(self, folder: Path, *, password: str | None = None, port: int | None = None) -> Server: ...


KINDS: dict[str, Kind] = {"redis": RedisServer, "postgres": PostgresServer}


class Servers:
    """The running servers; leave the context (or close()), and the last one who leaves stops them."""

    def __init__(
        self, home: Path, *, share: Share | None, wanted: frozenset[str], told: Announcement = NOTHING
    ) -> None:
        self._home = home
        self._share = share
        self._wanted = wanted
        self._told = told
        self._keepers: list[Keeper] = []
        self._inherited = False
        self._closing = threading.Event()
        self._heir = threading.Thread(target=self._inherit, name="heir of the servers", daemon=True)

    @property
    def owned(self) -> bool:
        """Whether this process keeps the servers up; one that attached does so from when their owner leaves or dies."""
        return self._share is not None and self._share.owns

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
        """Leave the servers to the others who use them, or stop them in bounded time if there are none."""
        if self._share is None or self._closing.is_set():
            return
        self._closing.set()
        if self._heir.is_alive():
            self._heir.join()
        try:
            for keeper in self._keepers:
                keeper.let_go()
            if self._is_last(self._share):
                self._stop()
        finally:
            self._share.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        """Start the servers as their owner, those of a killed owner too that this process does not want itself."""
        assert self._share is not None
        try:
            self._keepers = self._make_keepers(last_announced(self._home), for_users=self._share.has_others())
            for keeper in self._keepers:
                keeper.start()
            self._announce()
        except BaseException:
            self.close()
            raise

    def _attach(self) -> None:
        self._heir.start()

    def _inherit(self) -> None:
        """Become the owner once there is none, and keep the servers up from then on."""
        assert self._share is not None
        while not self._closing.wait(HEIR_LOOKS):
            try:
                if not self._share.become_owner():
                    continue
            except EmbeddedError as error:  # the folder cannot be used, now or for ever
                log.error("embedded servers may have no owner", error=str(error))
                continue
            self._inherited = True
            self._keepers = self._make_keepers(self._last_told(), for_users=True)
            for keeper in self._keepers:
                keeper.take_over()
            return

    def _is_last(self, share: Share) -> bool:
        """Leave; whether there is nobody else, and so the servers are to be stopped by us."""
        told = self._now() if self._keepers else self._last_told()
        try:
            is_last = share.leave(
                handing_over=lambda: announce(self._home, told.without_owner()), last=lambda: withdraw(self._home)
            )
        except EmbeddedError as error:  # the folder is gone: nobody can come any more
            log.error("embedded servers could not be left to others", error=str(error))
            return share.owns
        if is_last and not self._keepers:
            self._inherited = True
            self._keepers = self._make_keepers(told, for_users=True)
        return is_last

    def _stop(self) -> None:
        for keeper in self._keepers:
            if self._inherited and keeper.server.pid is None:  # it runs, but this process had no time to take it over
                try:
                    keeper.server.start()
                except (HoldfastError, OSError) as error:
                    log.error("embedded server could not be taken over", server=keeper.name, error=str(error))
            keeper.server.stop()

    def _make_keepers(self, told: Announcement, *, for_users: bool) -> list[Keeper]:
        """One for each server; the others `for_users` know its address already, so that must stay what it was."""

        def made(kind: str) -> Server:
            known = told.urls.get(kind) if for_users else None
            if known is None:
                return KINDS[kind](self._home / kind)
            url = urlsplit(known)
            return KINDS[kind](self._home / kind, password=unquote(url.password or ""), port=url.port)

        kinds = self._wanted | (told.urls.keys() & KINDS.keys())
        return [Keeper(kind, made(kind), restarted=self._announce) for kind in sorted(kinds)]

    def _announce(self) -> None:
        if all(keeper.server.running for keeper in self._keepers):
            announce(self._home, self._now())

    def _now(self) -> Announcement:
        keepers = self._keepers
        if keepers and self.owned:
            self._told = Announcement.of_this_process(
                urls={keeper.name: keeper.server.url for keeper in keepers},
                pids={keeper.name: keeper.server.pid for keeper in keepers},
            )
        else:
            self._told = announced(self._home) or self._told  # process ids change when a server is started again
        return self._told

    def _last_told(self) -> Announcement:
        last = last_announced(self._home)
        return last if last.urls else self._told

    def _url(self, kind: str) -> str:
        if kind not in self._wanted:
            raise EmbeddedError(f"these servers were opened without {kind}")
        return self._now().urls[kind]


def open_servers(home: Path, *, redis: bool = True, postgres: bool = True) -> Servers:
    """Start the servers of the folder, or attach to those that another living process runs on it.

    Returns when they are ready. Servers that a killed owner left running are adopted if they are sound, else replaced.
    Raises EmbeddedError or NotConfigured, with what to do.
    """
    wanted = frozenset(kind for kind, given in (("redis", redis), ("postgres", postgres)) if given)
    if not wanted:
        return Servers(home, share=None, wanted=wanted)
    folder = make_private(home)
    share = Share(folder)
    end = time.monotonic() + ATTACH_LIMIT
    while not share.become_owner():
        if told := share.become_user(lambda: _found(folder, wanted)):
            servers = Servers(folder, share=share, wanted=wanted, told=told)
            servers._attach()  # noqa: SLF001 - half of its construction
            return servers
        if time.monotonic() > end:
            raise EmbeddedError(
                f"another process holds {folder} but its servers were not ready in {ATTACH_LIMIT:.0f} s; "
                "see the logs in that folder, stop that process, or set HOLDFAST_HOME to another folder"
            )
        time.sleep(POLL)
    servers = Servers(folder, share=share, wanted=wanted)
    servers._start()  # noqa: SLF001 - half of its construction
    return servers


def _found(folder: Path, wanted: frozenset[str]) -> Announcement | None:
    told = announced(folder)
    if told is None:
        return None
    missing = wanted - told.urls.keys()
    if missing:
        raise EmbeddedError(
            f"process {told.owner} owns {folder} and runs no {' and no '.join(sorted(missing))} there; "
            "give this process the same REDIS_URL and DATABASE_URL as that one, or set HOLDFAST_HOME to another folder"
        )
    return told
