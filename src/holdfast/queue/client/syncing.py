"""Adds that survive a power cut: how it is known that Redis has synced them.

WAITAOF would be the command for it, but with `appendfsync everysec` it answers before the sync on some Redis versions
and on Valkey 9.1 (docs/adr/0006-durable-adds-look-at-the-syncs.md). INFO tells enough, on every version: Redis syncs
what it has written as soon as a second has passed since the last sync and none is under way. So when a second after the
add nothing waits to be written and no sync is under way, and a moment later still not, one that began after the add has
ended.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic
from typing import Any, TypeVar

from redis.exceptions import ResponseError

from holdfast.errors import NotDurable, QueueUnavailable
from holdfast.queue.client.connected import Connected
from holdfast.queue.client.durability import Durability, Told, judge, refusal
from holdfast.queue.link.connection import will_pass

T = TypeVar("T")

SYNC_AGE = 1.2  # seconds: the one after which Redis syncs again, and what its clock may lag
LOOK_AGAIN = 0.02
_SYNC_SETTINGS = ("appendfsync", "no-appendfsync-on-rewrite")
_OTHER_SETTINGS = ("save", "maxmemory-policy", "min-replicas-to-write")
_REWRITE = ("aof_rewrite_in_progress", "aof_rewrites", "aof_last_rewrite_time_sec", "aof_base_size")


class Syncing(Connected):
    """Says what the server can lose, and waits until it cannot lose an add any more."""

    async def durability(self) -> Durability:
        """What the connected server can lose of what it acknowledged, in words; without rights it says 'unknown'."""
        info, config = await asyncio.gather(self._info(), self._settings(_SYNC_SETTINGS + _OTHER_SETTINGS))
        return judge(Told(info=info, config=config))

    async def _durably(self, add: Callable[[], Awaitable[T]], replicas: int) -> T:
        """Run `add` and return when what it added survives a power cut, and has reached so many replicas.

        NotDurable, before anything is added, when the server is not set up for it; QueueUnavailable when it is not
        known within `max_wait` whether the jobs survive: they may be there.
        """
        before, config = await asyncio.gather(self._info(), self._settings(_SYNC_SETTINGS))
        if why := refusal(Told(info=before, config=config)):
            raise NotDurable(f"a durable add is not possible: {why}")
        connected = int(before.get("connected_slaves", 0))
        if connected < replicas:
            raise NotDurable(f"{replicas} replicas were asked for; {connected} are connected")
        added = await add()
        at_once = config["appendfsync"] == "always" and not _is_first_rewrite(before)
        if at_once and not replicas:
            return added
        try:
            async with asyncio.timeout(self._max_wait):
                await self._wait_until_safe(before["run_id"], synced=at_once, replicas=replicas)
        except TimeoutError:
            waited = f"{self._max_wait:g} s"
            raise QueueUnavailable(f"jobs were added, but are not known to be safe: no sync in {waited}") from None
        return added

    async def _wait_until_safe(self, run_id: str, *, synced: bool, replicas: int) -> None:
        state = await self._same_server(run_id)
        sent, since, quiet = int(state["master_repl_offset"]), monotonic(), 2 if synced else 0
        while quiet < 2 or _reached(state, sent) < replicas:
            await asyncio.sleep(LOOK_AGAIN if synced else max(LOOK_AGAIN, since + SYNC_AGE - monotonic()))
            seen, state = state, await self._same_server(run_id)
            if _rewrite(state) != _rewrite(seen) and not synced:
                # A rewrite syncs and closes the file with our jobs in a thread that INFO does not show.
                quiet, since = 0, monotonic()
            elif quiet < 2:
                quiet = quiet + 1 if _is_quiet(state) else 0

    async def _same_server(self, run_id: str) -> Mapping[str, str]:
        """What the server says now; QueueUnavailable when it is another process, whose data may lack our jobs."""
        state = await self._info()
        if state.get("run_id") != run_id:
            raise QueueUnavailable("Redis was restarted or failed over during a durable add: the jobs may be lost")
        return state

    async def _info(self) -> dict[str, str]:
        lines = (await self._if_allowed("INFO") or b"").decode(errors="replace").splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    async def _settings(self, names: Sequence[str]) -> dict[str, str]:
        # One at a time: Redis 6.2 takes no more.
        replies = await asyncio.gather(*(self._if_allowed("CONFIG", "GET", name) for name in names))
        pairs = [reply for reply in replies if reply]
        return {name.decode(): value.decode() for name, value in pairs}

    async def _if_allowed(self, *command: str) -> Any:
        """The reply, None when the server does not know the command or the user may not use it."""

        async def ask() -> Any:
            try:
                return await self._link.call(*command)
            except ResponseError as error:
                if will_pass(error):
                    raise
                return None

        return await self._patiently(ask)


def _is_first_rewrite(state: Mapping[str, str]) -> bool:
    """Whether the AOF is being made: it was switched on while Redis ran, and holds nothing before that has ended."""
    unfinished = state["aof_rewrite_in_progress"] == "1" or state["aof_last_bgrewrite_status"] != "ok"
    return unfinished and int(state.get("aof_base_size", 0)) == 0


def _is_quiet(state: Mapping[str, str]) -> bool:
    """Whether nothing waits to be written and no sync is under way."""
    idle = state["aof_buffer_length"] == "0" and state["aof_pending_bio_fsync"] == "0"
    return idle and state["aof_last_write_status"] == "ok" and not _is_first_rewrite(state)


def _rewrite(state: Mapping[str, str]) -> list[str | None]:
    return [state.get(name) for name in _REWRITE]


def _reached(state: Mapping[str, str], offset: int) -> int:
    """How many replicas say that they have all up to this offset."""
    lines = [value for name, value in state.items() if name.startswith("slave") and "offset=" in value]
    fields = [dict(pair.split("=", 1) for pair in line.split(",")) for line in lines]
    return sum(1 for each in fields if each.get("state") == "online" and int(each["offset"]) >= offset)
