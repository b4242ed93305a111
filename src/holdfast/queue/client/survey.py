"""The audit's reading of a whole queue, in steps: which ids look wrong, and which of them are.

Names of keys are read first, then the lists, against the way that jobs go: what is added or moves on meanwhile is not
taken for lost. What still looks wrong at the end is looked at again, one script call a few ids, before it is believed.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, Literal, Protocol

from holdfast.queue.client.findings import verdict
from holdfast.queue.keys import Keys, may_be_job

LOOK_CHUNK = 250  # ids one script call looks at
SCAN_COUNT = 1_000
GRACE = 2.5  # seconds a job must be active without a lock: longer than a worker needs to take it over
MOST_SUSPECTS = 10_000
SEARCHED = 300_000  # list items one script call may read
LISTS = {"a": "active", "p": "paused", "w": "wait"}
ZSETS = ("delayed", "completed", "failed", "parked", "priority")
IN_ZSET = frozenset("dcfk")


class Look(Protocol):
    """Letters of parts/places.lua for each id."""

    def __call__(self, ids: Sequence[str], *, depth: Literal[0, 1, 2]) -> Awaitable[list[str]]: ...


class Survey:
    """One reading of one queue."""

    def __init__(self, keys: Keys, call: Callable[..., Awaitable[Any]], look: Look) -> None:
        self._keys = keys
        self._call = call
        self._look = look
        self._outside: dict[str, str] = {}  # jobs in no sorted set -> the lists they were seen in
        self._locked: set[str] = set()  # of those
        self._suspects: set[str] = set()
        self._nested: set[str] = set()  # what the keys of other queues begin with that look like ours
        self.names: list[str] = []  # keys that the rest of the audit looks at
        self.looked_at = 0
        self.is_complete = True

    async def run(self) -> dict[str, str]:
        """Read everything; returns the letters of the ids that are wrong."""
        await self._read_names()
        for letter, name in LISTS.items():
            await self._read_list(letter, f"{self._keys.base}{name}")
        for name in ZSETS:
            await self._read_zset(f"{self._keys.base}{name}")
        self._suspects.update(job_id for job_id, lists in self._outside.items() if not lists)
        return await self._confirmed()

    async def _read_names(self) -> None:
        locked: list[str] = []
        async for page in self._scan("SCAN", MATCH=_literal(self._keys.base) + "*"):
            rests = [name[len(self._keys.base) :] for name in page]
            self._nested.update(rest[: -len("id")] for rest in rests if rest.endswith(":id"))
            self.names += [rest for rest in rests if rest.startswith(("keep:", "de:"))]
            locked += [rest[: -len(":lock")] for rest in rests if rest.endswith(":lock")]
            await self._note([rest for rest in rests if may_be_job(rest)])
        # A lock without a job is met nowhere else.
        for job_id, letters in await self._letters(locked):
            if "h" not in letters and verdict(letters):
                self._suspects.add(job_id)

    async def _note(self, ids: Sequence[str]) -> None:
        for job_id, letters in await self._letters(ids):
            self.looked_at += 1
            if "h" in letters and not IN_ZSET & set(letters):
                self._outside[job_id] = ""
                if "l" in letters:
                    self._locked.add(job_id)
            elif verdict(letters):
                self._suspects.add(job_id)

    async def _read_list(self, letter: str, key: str) -> None:
        start, before = 0, list[str]()
        while True:
            ids = _texts(await self._call("LRANGE", key, start, start + LOOK_CHUNK - 1))
            fresh = ids[_overlap(before, ids) :]  # what came to the head meanwhile shifted the others
            for job_id, letters in await self._letters_in(fresh):
                lists = self._outside.get(job_id, "") + letter
                self._outside[job_id] = lists
                if verdict(letters + lists):
                    self._suspects.add(job_id)
            if len(ids) < LOOK_CHUNK:
                return
            start, before = start + len(ids), ids

    async def _letters_in(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        """Letters of ids in a list; those whose names were met have been looked at."""
        known = [(job_id, "hl" if job_id in self._locked else "h") for job_id in ids if job_id in self._outside]
        return known + await self._letters([job_id for job_id in ids if job_id not in self._outside])

    async def _read_zset(self, key: str) -> None:
        async for page in self._scan("ZSCAN", key):
            for job_id, letters in await self._letters(page[::2]):
                if verdict(letters + self._outside.get(job_id, "")):
                    self._suspects.add(job_id)

    async def _confirmed(self) -> dict[str, str]:
        """Of the suspects those who are wrong when all of each is seen at one moment."""
        nested = tuple(self._nested)
        suspects = sorted(job_id for job_id in self._suspects if not job_id.startswith(nested))
        self.is_complete = len(suspects) <= MOST_SUSPECTS
        # Of those met in no list most have only moved on, as a look that searches none tells.
        unseen = [job_id for job_id in suspects[:MOST_SUSPECTS] if not self._outside.get(job_id)]
        for depth in (0, 1):
            unseen = [job_id for job_id, letters in await self._look_at(unseen, depth) if not _is_placed(letters)]
        seen = [job_id for job_id in suspects[:MOST_SUSPECTS] if self._outside.get(job_id)]
        found = {job_id: letters for job_id, letters in await self._look_at(unseen + seen, 2) if verdict(letters)}
        if "abandoned" in map(verdict, found.values()):
            await asyncio.sleep(GRACE)
            again = dict(await self._look_at(found, 2))
            found = {job_id: now for job_id, now in again.items() if verdict(now) == verdict(found[job_id])}
        return found

    async def _look_at(self, ids: Iterable[str], depth: Literal[0, 1, 2] | int) -> list[tuple[str, str]]:
        if depth == 0:
            return await self._letters(list(ids))
        lists = LISTS.values() if depth == 2 else ["active"]
        total = sum([await self._call("LLEN", f"{self._keys.base}{name}") for name in lists])
        return await self._letters(list(ids), depth=depth, chunk=max(1, min(LOOK_CHUNK, SEARCHED // (total + 1))))

    async def _letters(self, ids: Sequence[str], *, depth: Any = 0, chunk: int = LOOK_CHUNK) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        for first in range(0, len(ids), chunk):
            some = ids[first : first + chunk]
            pairs += zip(some, await self._look(some, depth=depth), strict=True)
        return pairs

    async def _scan(self, *command: str, **options: str) -> AsyncIterator[list[str]]:
        cursor = "0"
        words = [word for option in options.items() for word in option]
        while True:
            raw, page = await self._call(*command, cursor, *words, "COUNT", SCAN_COUNT)
            yield _texts(page)
            cursor = raw.decode()
            if cursor == "0":
                return


def _is_placed(letters: str) -> bool:
    """Whether a job that was met in no list has its place, as far as this look tells: ended, delayed or running."""
    return bool(set(letters) & (IN_ZSET | {"a"})) and verdict(letters) is None


def _literal(text: str) -> str:
    return re.sub(r"([\\*?\[\]^])", r"\\\1", text)


def _texts(raw: Iterable[bytes]) -> list[str]:
    """Names that are text; Bull's and ours all are."""
    return [name.decode(errors="replace") for name in raw]


def _overlap(before: Sequence[str], ids: Sequence[str]) -> int:
    """How many of these ids are the end of those before."""
    if not ids or ids[0] not in before:
        return 0
    known = before[before.index(ids[0]) :]
    return len(known) if list(ids[: len(known)]) == list(known) else 0
