"""The scripts of a worker: take jobs, write what came of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, cast

from holdfast.queue.link.wire import Argument
from holdfast.queue.scripts.loading import Caller, Word, word, words

Row: TypeAlias = list[Any]  # TAKEN_FIELDS of a job, then its id; bytes or None

RETAKE_BOUND = 5_000  # youngest active ids looked at for a lost reply


class Result(NamedTuple):
    """A returnvalue on its way to Redis."""

    job_id: str
    token: str
    value: bytes  # JSON
    keep: str
    marks: str  # 'f' an earlier attempt failed, 'd' debounced


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """A failed attempt on its way to Redis."""

    job_id: str
    token: str
    attempts_made: int  # this one included
    reason: str
    trace: str
    trace_limit: int


# Words of the results that were written or not, the jobs taken, and the error if nothing is known.
Exchanged: TypeAlias = Callable[[list[Word], list[Row], Exception | None], None]


class WorkScripts(Caller):
    """Takes jobs and writes what came of them; each write is fenced by the attempt's token."""

    async def take(self, limit: int, token: str, lock_ms: int, *, announce: bool) -> list[Row]:
        """Lock and return up to `limit` jobs."""
        k = self._keys
        args = (k.base, limit, token, lock_ms, int(announce))
        return cast("list[Row]", await self._run("take", (k.wait, k.active, k.priority), args))

    async def complete(
        self, results: Sequence[Result], *, limit: int, token: str, lock_ms: int
    ) -> tuple[list[Word], list[Row]]:
        """Write results, then lock and return up to `limit` jobs."""
        keys, args = self._completion(results, limit, token, lock_ms)
        refused, rows = await self._run("complete", keys, args)
        return _spread(refused, len(results)), rows

    def complete_now(self, results: Sequence[Result], take: tuple[int, str, int], then: Exchanged) -> bool:
        """The same (take: limit, token, lock_ms), if there is a connection now; `then` is called the moment the reply
        comes. False, and nothing is done, when there is none."""

        def arrived(reply: Any, error: Exception | None) -> None:
            if error is not None:
                then([], [], error)
            else:
                then(_spread(reply[0], len(results)), reply[1], None)

        keys, args = self._completion(results, *take)
        return self._run_now("complete", keys, args, arrived)

    def _completion(
        self, results: Sequence[Result], limit: int, token: str, lock_ms: int
    ) -> tuple[tuple[str, ...], list[Argument]]:
        k = self._keys
        args: list[Argument] = [k.base, limit, token, lock_ms]
        for result in results:
            args += result
        return (k.wait, k.active, k.priority, k.completed), args

    async def retake(self, token: str) -> list[Row]:
        """The jobs of a batch whose reply was lost."""
        k = self._keys
        return cast("list[Row]", await self._run("retake", (k.active,), (k.base, token, RETAKE_BOUND)))

    async def fail(self, blame: Blame, *, keep: str) -> Word:
        """Fail a job for good."""
        k = self._keys
        args = (k.base, blame.job_id, blame.token, blame.attempts_made, blame.reason, blame.trace, blame.trace_limit)
        return word(await self._run("fail", (k.active, k.failed, k.stalled), (*args, keep)))

    async def retry(self, blame: Blame, *, delay_ms: int) -> Word:
        """Let a job run again after a failed attempt."""
        k = self._keys
        keys = (k.wait, k.paused, k.meta_paused, k.active, k.delayed, k.priority, k.stalled)
        args = (k.base, blame.job_id, blame.token, blame.attempts_made, blame.reason, blame.trace, blame.trace_limit)
        return word(await self._run("retry", keys, (*args, delay_ms)))

    async def postpone(self, job_id: str, token: str, *, delay_ms: int) -> Word:
        """Let a job run again later, as if it had not been taken."""
        k = self._keys
        args = (k.base, job_id, token, delay_ms)
        return word(await self._run("postpone", (k.active, k.delayed, k.stalled), args))

    async def release(self, held: Iterable[tuple[str, str]]) -> list[Word]:
        """Give (job id, token) back to the front of the line; the one to run next comes last."""
        k = self._keys
        args = [k.base, *(value for pair in held for value in pair)]
        return words(await self._run("release", (k.wait, k.paused, k.meta_paused, k.active), args))

    async def progress(self, job_id: str, token: str, progress: bytes, *, back: bool) -> Word:
        """Note how far an attempt has come; a number goes back only if `back` says so."""
        args = (self._keys.base, job_id, token, progress, int(back))
        return word(await self._run("progress", (self._keys.active,), args))

    async def log(self, job_id: str, token: str, line: str, *, limit: int) -> Word:
        """Add a line to a job's log."""
        return word(await self._run("log", (self._keys.active,), (self._keys.base, job_id, token, line, limit)))


def _spread(refused: list[Any], count: int) -> list[Word]:
    """A word for each result; the script names only those that are not 'ok': position (from 1), word, …"""
    spread: list[Word] = ["ok"] * count
    for i in range(0, len(refused), 2):
        spread[refused[i] - 1] = word(refused[i + 1])
    return spread
