"""Keeps the worker's presence and the locks of its running jobs alive, from a thread of its own.

A processor that blocks the event loop does not lose its job; when somebody else owns it, its attempt is told.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable
from time import monotonic

from redis.exceptions import RedisError

from holdfast.queue.connection import retry_delay
from holdfast.queue.execution import Attempt
from holdfast.queue.finding import BlockingClient, Finder
from holdfast.queue.keys import Keys
from holdfast.queue.presence import LiveWorker
from holdfast.queue.scripts import PresenceScripts, Word

# A third of the lock's time: two renewals may fail before the lock runs out.
RENEWALS_PER_LOCK = 3
TICKS_PER_PRESENCE = 4
CHUNK = 500
REDIS_TIMEOUT = 2.0  # seconds the thread waits for a reply


class LockKeeper:
    """Renews from `start` until `stop`; `running` is read from the thread, and never changed by it."""

    def __init__(
        self, finder: Finder, keys: Keys, about: LiveWorker, *, lock_duration: float, presence_ttl: float
    ) -> None:
        self._finder = finder
        self._keys = keys
        self._about = about
        self._lock_duration = lock_duration
        self._presence_ttl = presence_ttl
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    async def start(self, running: dict[Attempt, None]) -> None:
        """Begin; returns at once."""
        loop = asyncio.get_running_loop()

        def lose(attempt: Attempt) -> None:
            loop.call_soon_threadsafe(attempt.lose)

        self._stopping.clear()
        self._thread = threading.Thread(
            target=self._keep, args=(running, lose), name=f"holdfast locks {self._about.id}", daemon=True
        )
        self._thread.start()

    async def stop(self) -> None:
        """Take the presence away and end the thread."""
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _keep(self, running: dict[Attempt, None], lose: Callable[[Attempt], None]) -> None:
        client = BlockingClient(self._finder, timeout=REDIS_TIMEOUT)
        scripts = PresenceScripts(client, self._keys)
        failures = 0
        while not self._stopping.is_set():
            try:
                self._renew(scripts, self._due(running), lose)
                failures, pause = 0, self._tick
            except (RedisError, OSError):
                # The worker's link reports the outage; this thread only has to be back as soon as Redis is.
                failures += 1
                pause = min(retry_delay(failures), self._tick)
            self._stopping.wait(pause)
        self._leave(scripts)
        client.close()

    @property
    def _tick(self) -> float:
        return min(self._presence_ttl / TICKS_PER_PRESENCE, self._lock_duration / RENEWALS_PER_LOCK / 2)

    def _due(self, running: dict[Attempt, None]) -> list[Attempt]:
        before = monotonic() - self._lock_duration / RENEWALS_PER_LOCK
        return [attempt for attempt in list(running) if attempt.renewed_at <= before and not attempt.lost]

    def _renew(self, scripts: PresenceScripts, due: list[Attempt], lose: Callable[[Attempt], None]) -> None:
        times_ms = (round(self._presence_ttl * 1000), round(self._lock_duration * 1000))
        chunks: Iterable[tuple[Attempt, ...]] = _chunks(due) or [()]
        for chunk in chunks:
            now = monotonic()
            held = [(attempt.job.id, attempt.job.token or "") for attempt in chunk]
            words = scripts.renew(self._about.id, self._about.to_json(), times_ms, held)
            for attempt, word in zip(chunk, words, strict=True):
                attempt.renewed_at = now
                if is_lost(word):
                    lose(attempt)

    def _leave(self, scripts: PresenceScripts) -> None:
        try:
            scripts.leave(self._about.id)
        except (RedisError, OSError):
            return  # it runs out by itself


def is_lost(word: Word) -> bool:
    """Whether a renewal says that somebody else has the job.

    'missing' does not: a Redis that came back empty has no other owner, so the work in flight may as well end. Nor does
    'written': the job has just been finished by this very attempt.
    """
    return word == "lock_lost"


def _chunks(due: list[Attempt]) -> list[tuple[Attempt, ...]]:
    return [tuple(due[first : first + CHUNK]) for first in range(0, len(due), CHUNK)]
