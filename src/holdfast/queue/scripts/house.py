"""The scripts that keep a queue going: presence, locks, take-overs, delayed jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from redis.exceptions import NoScriptError

from holdfast.queue.keys import Keys
from holdfast.queue.link.wire import Argument
from holdfast.queue.scripts.loading import Caller, Word, load, words

RECLAIM_BOUND = 10_000  # ids at the tail of a list among which a running job is looked for: it had just been taken
STRAYS_CHUNK = 500


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


class HouseScripts(Caller):
    """What any worker does for the whole queue."""

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

    async def trim(self, *, interval_ms: int, limit: int) -> int:
        """Remove finished jobs by their age; returns how many, -1 when another worker just did."""
        k = self._keys
        keys = (k.completed, k.failed, k.trimming)
        return int(await self._run("trim", keys, (k.base, interval_ms, limit)))


class PresenceScripts:
    """The two scripts of the lock-keeping thread, on its own blocking client."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def renew(
        self, worker: str, about: bytes, times_ms: tuple[int, int], held: Sequence[tuple[str, str]]
    ) -> tuple[list[Word], list[str]]:
        """Say that the worker is alive for times_ms[0]; set the locks of (job id, token) to times_ms[1].

        Returns a word a job, and the ids of running jobs, of any worker, that were cancelled.
        """
        k = self._keys
        args: list[Argument] = [
            k.base,
            worker,
            times_ms[0],
            about,
            times_ms[1],
            *(value for pair in held for value in pair),
        ]
        answers, cancelled = self._run("renew", (k.presence, k.active, k.stalled, k.cancels), args)
        return words(answers), [job_id.decode(errors="replace") for job_id in cancelled]

    def reclaim(self, lock_ms: int, jobs: Sequence[tuple[str, str, bytes, int]]) -> list[Word]:
        """Take (job id, token, opts as taken, attempts made as taken) out of where Redis thinks they wait."""
        k = self._keys
        keys = (k.active, k.wait, k.paused, k.delayed, k.priority, k.completed, k.failed)
        args: list[Argument] = [k.base, lock_ms, RECLAIM_BOUND, *(value for job in jobs for value in job)]
        return words(self._run("reclaim", keys, args))

    def strays(self, worker: str, held: Sequence[str]) -> list[str]:
        """Put back what the worker's locks hold and it does not run; returns the ids."""
        k = self._keys
        skip = 0
        back: list[str] = []
        while True:
            args: list[Argument] = [k.base, worker, skip, STRAYS_CHUNK, *held]
            seen, ids = self._run("strays", (k.active, k.wait, k.paused, k.meta_paused), args)
            back += [job_id.decode() for job_id in ids]
            skip += seen - len(ids)
            if seen < STRAYS_CHUNK:
                return back

    def leave(self, worker: str) -> None:
        """Say that the worker is gone."""
        self._run("leave", (self._keys.presence,), (worker,))

    def _run(self, name: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        script = load(name)
        try:
            return self._client.evalsha(script.sha, len(keys), *keys, *args)
        except NoScriptError:
            return self._client.eval(script.source, len(keys), *keys, *args)


def _checked(values: list[str]) -> tuple[str, Any, int]:
    job_id, to, attempts_made = values
    return job_id, to, int(attempts_made)
