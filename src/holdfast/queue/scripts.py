"""The one typed caller of each Lua file: arguments in, the script's words turned into types."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from redis.exceptions import NoScriptError

from holdfast.queue.connection import Argument, Link
from holdfast.queue.keys import Keys

Word: TypeAlias = Literal["ok", "written", "lock_lost", "missing"]
Requeued: TypeAlias = Literal["ok", "missing", "locked", "not_failed"]
Removed: TypeAlias = Literal["ok", "locked", "missing"]
Row: TypeAlias = list[Any]  # TAKEN_FIELDS of a job, then its id; bytes or None

STATES_BOUND = 10_000  # lists longer than this are not searched for a job's state
RETAKE_BOUND = 5_000  # youngest active ids looked at for a lost reply


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua file with what it includes, and the name Redis knows it by."""

    source: str
    sha: str


@cache
def load(name: str) -> Script:
    """Read `lua/<name>.lua` and put the parts it includes in their places."""
    folder = files(__package__) / "lua"

    def part(match: re.Match[str]) -> str:
        return (folder / "parts" / f"{match[1]}.lua").read_text("utf-8")

    source = re.sub(r"^--#include (\w+)$", part, (folder / f"{name}.lua").read_text("utf-8"), flags=re.MULTILINE)
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


class Result(NamedTuple):
    """A returnvalue on its way to Redis."""

    job_id: str
    token: str
    value: bytes  # JSON
    keep: str
    failed_before: str  # '1' | '0'


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """A failed attempt on its way to Redis."""

    job_id: str
    token: str
    attempts_made: int  # this one included
    reason: str
    trace: str
    trace_limit: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """A job that was taken from a worker that is gone."""

    job_id: str
    to: Literal["wait", "failed", "ghost"]
    attempts_made: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRules:
    """When a job counts as abandoned; all times in ms."""

    interval_ms: int
    quiet_ms: int
    grace_ms: int
    max_stalled: int
    budget: int = 2_000


class Scripts:
    """Runs the scripts of one queue on one link; a call waits for ever for a connection, callers bound it."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._keys = keys

    async def add(self, sender: str, jobs: Sequence[Argument]) -> list[tuple[str, bool]]:
        """Add jobs given as 8 values each; returns (id, whether it is new)."""
        k = self._keys
        keys = (k.id, k.wait, k.paused, k.meta_paused, k.delayed, k.priority)
        reply = await self._run("add", keys, (k.base, sender, *jobs))
        return [(reply[i].decode(), reply[i + 1] == b"added") for i in range(0, len(reply), 2)]

    async def take(self, limit: int, token: str, lock_ms: int, *, announce: bool) -> list[Row]:
        """Lock and return up to `limit` jobs."""
        k = self._keys
        args = (k.base, limit, token, lock_ms, int(announce))
        return cast("list[Row]", await self._run("take", (k.wait, k.active, k.priority), args))

    async def complete(
        self, results: Sequence[Result], *, limit: int, token: str, lock_ms: int
    ) -> tuple[list[Word], list[Row]]:
        """Write results, then lock and return up to `limit` jobs."""
        k = self._keys
        args: list[Argument] = [k.base, limit, token, lock_ms]
        for r in results:
            args += r
        words, rows = await self._run("complete", (k.wait, k.active, k.priority, k.completed, k.stalled), args)
        return _words(words), rows

    async def retake(self, token: str) -> list[Row]:
        """The jobs of a batch whose reply was lost."""
        k = self._keys
        return cast("list[Row]", await self._run("retake", (k.active,), (k.base, token, RETAKE_BOUND)))

    async def fail(self, blame: Blame, *, keep: str) -> Word:
        """Fail a job for good."""
        k = self._keys
        args = (k.base, blame.job_id, blame.token, blame.attempts_made, blame.reason, blame.trace, blame.trace_limit)
        return _word(await self._run("fail", (k.active, k.failed, k.stalled), (*args, keep)))

    async def retry(self, blame: Blame, *, delay_ms: int) -> Word:
        """Let a job run again after a failed attempt."""
        k = self._keys
        keys = (k.wait, k.paused, k.meta_paused, k.active, k.delayed, k.priority, k.stalled)
        args = (k.base, blame.job_id, blame.token, blame.attempts_made, blame.reason, blame.trace, blame.trace_limit)
        return _word(await self._run("retry", keys, (*args, delay_ms)))

    async def release(self, held: Iterable[tuple[str, str]]) -> list[Word]:
        """Give (job id, token) back to the front of the line; the one to run next comes last."""
        k = self._keys
        args = [k.base, *(value for pair in held for value in pair)]
        return _words(await self._run("release", (k.wait, k.paused, k.meta_paused, k.active), args))

    async def recover(self, rules: RecoveryRules) -> list[Recovered]:
        """Take jobs from workers that are gone; empty when another worker just looked."""
        k = self._keys
        keys = (k.active, k.wait, k.paused, k.meta_paused, k.failed, k.presence, k.watch, k.lockless)
        args = (k.base, rules.interval_ms, rules.quiet_ms, rules.grace_ms, rules.max_stalled, rules.budget)
        reply = [value.decode() for value in await self._run("recover", keys, args)]
        return [Recovered(*_checked(reply[i : i + 3])) for i in range(0, len(reply), 3)]

    async def promote(self, sender: str, limit: int) -> tuple[int, float | None]:
        """Let jobs wait that are due or were left behind; returns how many were due, and seconds until more are."""
        k = self._keys
        keys = (k.delayed, k.wait, k.paused, k.meta_paused, k.priority)
        count, next_ms = await self._run("promote", keys, (k.base, sender, limit))
        return count, None if next_ms < 0 else next_ms / 1000

    async def progress(self, job_id: str, token: str, progress: bytes) -> Word:
        """Note how far an attempt has come."""
        return _word(await self._run("progress", (self._keys.active,), (self._keys.base, job_id, token, progress)))

    async def log(self, job_id: str, token: str, line: str, *, limit: int) -> Word:
        """Add a line to a job's log."""
        return _word(await self._run("log", (self._keys.active,), (self._keys.base, job_id, token, line, limit)))

    async def states(self, ids: Sequence[str]) -> list[str]:
        """Where jobs are; '' where there is none."""
        k = self._keys
        keys = (k.wait, k.paused, k.active, k.delayed, k.completed, k.failed)
        reply = await self._run("states", keys, (k.base, STATES_BOUND, *ids))
        return [word.decode() for word in reply]

    async def counts(self) -> list[int]:
        """How many wait, are active, completed, failed, delayed, paused."""
        k = self._keys
        reply = await self._run("counts", (k.wait, k.active, k.completed, k.failed, k.delayed, k.paused), ())
        return cast("list[int]", reply)

    async def remove(self, job_id: str) -> Removed:
        """Remove a job wherever it is."""
        k = self._keys
        keys = (k.wait, k.paused, k.active, k.delayed, k.priority, k.completed, k.failed)
        reply = await self._run("remove", keys, (k.base, job_id))
        return cast("Removed", reply.decode())

    async def requeue(self, job_id: str, sender: str, *, fresh: bool) -> Requeued:
        """Run a failed job again."""
        k = self._keys
        keys = (k.failed, k.wait, k.paused, k.meta_paused, k.priority)
        reply = await self._run("requeue", keys, (k.base, job_id, sender, int(fresh)))
        return cast("Requeued", reply.decode())

    async def pause(self, to: Literal["paused", "resumed"], limit: int) -> Literal["ok", "more"]:
        """Pause or resume; 'more' asks to be called again."""
        k = self._keys
        lists = (k.wait, k.paused) if to == "paused" else (k.paused, k.wait)
        reply = await self._run("pause", (*lists, k.meta_paused, k.meta), (k.base, to, limit))
        return cast('Literal["ok", "more"]', reply.decode())

    async def _run(self, name: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        script = load(name)
        try:
            return await self._link.call("EVALSHA", script.sha, len(keys), *keys, *args)
        except NoScriptError:  # a server that has just started, or a failover
            return await self._link.call("EVAL", script.source, len(keys), *keys, *args)


class PresenceScripts:
    """The two scripts of the lock-keeping thread, on its own blocking client."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def renew(
        self, worker: str, about: bytes, times_ms: tuple[int, int], held: Sequence[tuple[str, str]]
    ) -> list[Word]:
        """Say that the worker is alive for times_ms[0]; set the locks of (job id, token) to times_ms[1]."""
        k = self._keys
        args: list[Argument] = [
            k.base,
            worker,
            times_ms[0],
            about,
            times_ms[1],
            *(value for pair in held for value in pair),
        ]
        return _words(self._run("renew", (k.presence, k.active, k.stalled), args))

    def leave(self, worker: str) -> None:
        """Say that the worker is gone."""
        self._run("leave", (self._keys.presence,), (worker,))

    def _run(self, name: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        script = load(name)
        try:
            return self._client.evalsha(script.sha, len(keys), *keys, *args)
        except NoScriptError:
            return self._client.eval(script.source, len(keys), *keys, *args)


def _word(reply: bytes) -> Word:
    return cast("Word", reply.decode())


def _words(reply: list[bytes]) -> list[Word]:
    return [_word(word) for word in reply]


def _checked(values: list[str]) -> tuple[str, Any, int]:
    job_id, to, attempts_made = values
    return job_id, to, int(attempts_made)
