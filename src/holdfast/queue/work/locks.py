"""Keeps the worker's presence and the locks of its running jobs alive, from a thread of its own.

A processor that blocks the event loop does not lose its job; when somebody else owns it, its attempt is told. After an
outage the jobs that run are made sure of before anybody takes another one: `confirm`.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from redis.exceptions import RedisError, ResponseError

from holdfast.queue.keys import Keys
from holdfast.queue.link.connection import retry_delay
from holdfast.queue.link.finding import BlockingClient, Finder
from holdfast.queue.link.presence import LiveWorker, ServerWatch
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import PresenceScripts, Word
from holdfast.queue.work.execution import Attempt, Completed

# A third of the lock's time: two renewals may fail before the lock runs out.
RENEWALS_PER_LOCK = 3
TICKS_PER_PRESENCE = 4
CHUNK = 500
REDIS_TIMEOUT = 2.0  # seconds the thread waits for a reply
CONFIRM_LIMIT = 3.0  # seconds a worker waits for its thread after a reconnect

Running = dict[Attempt, None]


class LockKeeper:
    """Renews from `start` until `stop`; what runs is read from the thread, and never changed by it."""

    def __init__(
        self,
        finder: Finder,
        keys: Keys,
        about: LiveWorker,
        reporter: Reporter,
        *,
        lock_duration: float,
        presence_ttl: float,
    ) -> None:
        self._finder = finder
        self._keys = keys
        self._about = about
        self._reporter = reporter
        self._lock_duration = lock_duration
        self._presence_ttl = presence_ttl
        self._times_ms = (round(presence_ttl * 1000), round(lock_duration * 1000))
        self._stopping = False
        self._failures = 0  # turns since the last good one
        self._nudge = threading.Event()  # do not wait for the next tick
        self._asked: list[Callable[[bool], None]] = []  # who waits for a confirmation
        self._stop_cancelled: Callable[[list[str]], None] = lambda _ids: None
        self._thread: threading.Thread | None = None

    async def start(self, running: Running) -> None:
        """Begin; returns at once."""
        loop = asyncio.get_running_loop()

        def lose(attempt: Attempt) -> None:
            loop.call_soon_threadsafe(attempt.lose)

        def stop_cancelled(ids: list[str]) -> None:
            loop.call_soon_threadsafe(_cancel, running, ids)

        self._stop_cancelled = stop_cancelled
        self._stopping = False
        self._thread = threading.Thread(
            target=self._keep, args=(running, lose), name=f"holdfast locks {self._about.id}", daemon=True
        )
        self._thread.start()

    async def stop(self) -> None:
        """Take the presence away and end the thread."""
        self._stopping = True
        self._nudge.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    async def confirm(self) -> bool:
        """Renew everything now; whether Redis may be older than it was: another process than before, or a young one.

        Then jobs that this worker runs and Redis believed to be waiting are active again, and those that Redis believed
        to be this worker's and are not wait again. Gives up after three seconds: the next tick does the same.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()

        def tell(restarted: bool) -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(_settle, answer, restarted)

        if self._thread is None or self._stopping:
            return False
        self._asked.append(tell)
        self._nudge.set()
        try:
            async with asyncio.timeout(CONFIRM_LIMIT):
                return await answer
        except TimeoutError:
            return False

    def _keep(self, running: Running, lose: Callable[[Attempt], None]) -> None:
        client = BlockingClient(self._finder, timeout=REDIS_TIMEOUT)
        scripts, server = PresenceScripts(client, self._keys), ServerWatch(client)
        while not self._stopping:
            try:
                self._turn(scripts, server, running, lose)
                self._failures, pause = 0, self._tick
            except (RedisError, OSError):
                # The worker's link reports the outage; this thread only has to be back as soon as Redis is.
                self._failures += 1
                pause = min(retry_delay(self._failures), self._tick)
            self._nudge.wait(pause)
            self._nudge.clear()
        with suppress(RedisError, OSError):  # else it runs out by itself
            scripts.leave(self._about.id)
        client.close()

    @property
    def _tick(self) -> float:
        return min(self._presence_ttl / TICKS_PER_PRESENCE, self._lock_duration / RENEWALS_PER_LOCK / 2)

    def _turn(
        self, scripts: PresenceScripts, server: ServerWatch, running: Running, lose: Callable[[Attempt], None]
    ) -> None:
        asked = len(self._asked)
        if asked:
            server.look()
        try:
            # Others take our presence after an outage for a sign that all our jobs are claimed.
            every = asked or self._failures
            self._renew(scripts, _unfinished(running) if every else self._due(running), lose)
            if asked and server.changed:
                self._put_strays_back(scripts, running)
        except ResponseError:  # Redis takes no writes now: whoever asked need not wait until it does
            self._answer(asked, restarted=server.changed)
            raise
        if asked:
            self._answer(asked, restarted=server.changed)
            server.changed = False

    def _answer(self, asked: int, *, restarted: bool) -> None:
        for tell in self._asked[:asked]:
            tell(restarted)
        del self._asked[:asked]

    def _due(self, running: Running) -> list[Attempt]:
        before = monotonic() - self._lock_duration / RENEWALS_PER_LOCK
        return [attempt for attempt in _unfinished(running) if attempt.renewed_at <= before]

    def _renew(self, scripts: PresenceScripts, due: list[Attempt], lose: Callable[[Attempt], None]) -> None:
        for chunk in _chunks(due) or [[]]:
            now = monotonic()
            held = [(attempt.job.id, attempt.job.token or "") for attempt in chunk]
            words, cancelled = scripts.renew(self._about.id, self._about.to_json(), self._times_ms, held)
            if cancelled:
                self._stop_cancelled(cancelled)
            doubtful = []
            for attempt, word in zip(chunk, words, strict=True):
                attempt.renewed_at = now
                if is_lost(word):
                    doubtful.append(attempt)
            if doubtful:
                self._reclaim(scripts, doubtful, lose)

    def _reclaim(self, scripts: PresenceScripts, doubtful: list[Attempt], lose: Callable[[Attempt], None]) -> None:
        """Claim again what Redis forgot that we run; what is really another's is lost."""
        # Not what is being given back, or on its way to Redis: another may take it at any moment, and rightly.
        still = [attempt for attempt in doubtful if self._is_worth_claiming(attempt)]
        jobs = [(a.job.id, a.job.token or "", a.job.opts_on_wire, a.job.attempts_made) for a in still]
        words = dict(zip(still, scripts.reclaim(self._times_ms[1], jobs), strict=True)) if jobs else {}
        for attempt in doubtful:
            word = words.get(attempt, "lock_lost")
            if word == "ok":
                self._reporter.warning("running job claimed again", id=attempt.job.id)
            elif is_lost(word):
                lose(attempt)

    def _is_worth_claiming(self, attempt: Attempt) -> bool:
        if attempt.released:
            return False
        # While somebody waits for our confirmation nothing is on its way.
        return attempt.outcome is None or (bool(self._asked) and isinstance(attempt.outcome, Completed))

    def _put_strays_back(self, scripts: PresenceScripts, running: Running) -> None:
        for job_id in scripts.strays(self._about.id, [attempt.job.id for attempt in list(running)]):
            self._reporter.warning("job put back that nobody runs", id=job_id)


def is_lost(word: Word) -> bool:
    """Whether a renewal says that somebody else has the job.

    'missing' does not: a Redis that came back empty has no other owner, so the work in flight may as well end. Nor does
    'written': the job has just been finished by this very attempt.
    """
    return word == "lock_lost"


def _cancel(running: Running, ids: list[str]) -> None:
    for attempt in running:
        if attempt.job.id in ids:
            attempt.cancel()


def _settle(answer: "asyncio.Future[bool]", restarted: bool) -> None:
    if not answer.done():
        answer.set_result(restarted)


def _unfinished(running: Running) -> list[Attempt]:
    return [attempt for attempt in list(running) if not attempt.lost]


def _chunks(due: list[Attempt]) -> list[list[Attempt]]:
    return [due[first : first + CHUNK] for first in range(0, len(due), CHUNK)]
