"""Redis read by plain commands, and compared with our own reading and with the database."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from holdfast.drill.facts import Look
from holdfast.embedded import PlainRedis
from holdfast.service import Account, Service, UnitAccount

LISTS = ("wait", "active", "paused")
SETS = ("completed", "failed", "delayed")
ATTEMPTS = 3  # what specs and documents promise of each job
SETTLED_WITHIN = 5.0  # seconds in which two readings of what runs must agree
AGAIN = 0.1  # seconds between two tries

# Where the job of a unit may be.
PLACES = {
    "pending": frozenset({"wait", "active", "delayed", "paused"}),
    "done": frozenset({"completed"}),
    "failed": frozenset({"failed"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A queue as redis-cli shows it."""

    counts: Mapping[str, int]  # LLEN and ZCARD, by state
    ids: Mapping[str, tuple[str, ...]]  # LRANGE and ZRANGE, by state
    hashes: Mapping[str, Mapping[str, str]]  # the generation's job hashes, by id


def read_plain(redis: PlainRedis, base: str, generation_id: UUID) -> Plain:
    """LLEN, LRANGE, ZCARD, ZRANGE, SCAN, HGETALL. `base` is what the queue's keys begin with. Raises Unavailable."""
    counts = {state: int(redis.call("LLEN", base + state)) for state in LISTS}
    counts |= {state: int(redis.call("ZCARD", base + state)) for state in SETS}
    ids = {state: tuple(redis.call("LRANGE", base + state, 0, -1)) for state in LISTS}
    ids |= {state: tuple(redis.call("ZRANGE", base + state, 0, -1)) for state in SETS}
    pattern = f"{base.replace('[', '?').replace('*', '?')}g-{generation_id}-*"
    hashes = {
        key[len(base) :]: redis.call("HGETALL", key)
        for key in sorted(redis.keys(pattern))
        if redis.call("TYPE", key) == "hash"
    }
    return Plain(counts=counts, ids=ids, hashes=hashes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that one look compares."""

    plain: Plain
    ours: Mapping[str, int]  # by Queue.counts
    told: Mapping[str, int] | None  # by GET /api/v1/queue; None: the API is dead
    account: Account
    generation_id: UUID
    cut_off: bool = False  # the workers are dead: what they had done may still be active


def differences(seen: Seen) -> list[str]:
    """What Redis holds and must not, or must and does not."""
    plain = seen.plain
    found = [*_counts_differ("Queue.counts", plain, seen.ours)]
    if seen.told is not None:
        found += _counts_differ("GET /queue", plain, seen.told)
    expected: set[str] = set()
    for unit in seen.account.units:
        found += _unit_differs(unit, seen)
        expected |= {job_id(seen.generation_id, unit, round_) for round_ in range(unit.round + 1)}
    mine = f"g-{seen.generation_id}-"
    strangers = {each for ids in plain.ids.values() for each in ids if each.startswith(mine)} | plain.hashes.keys()
    found += [f"job {each} belongs to no unit" for each in sorted(strangers - expected)]
    return found


def job_id(generation_id: UUID, unit: UnitAccount, round_: int | None = None) -> str:
    """The name that a unit's job must have."""
    nth = unit.round if round_ is None else round_
    return f"g-{generation_id}-{unit.stage}-{unit.ordinal}" + (f"-r{nth}" if nth else "")


def _counts_differ(who: str, plain: Plain, counts: Mapping[str, int]) -> Iterator[str]:
    for state in (*LISTS, *SETS):
        if counts.get(state) != plain.counts[state]:
            yield f"{state}: {plain.counts[state]} by plain commands, {counts.get(state)} by {who}"
        if len(plain.ids[state]) != plain.counts[state]:
            yield f"{state}: {plain.counts[state]} counted, {len(plain.ids[state])} listed"


def _unit_differs(unit: UnitAccount, seen: Seen) -> Iterator[str]:
    name, found = f"{unit.stage}/{unit.ordinal}", job_id(seen.generation_id, unit)
    places = [state for state, ids in seen.plain.ids.items() for each in ids if each == found]
    allowed = PLACES[unit.state] | ({"active"} if seen.cut_off else set())
    if len(places) != 1 or places[0] not in allowed:
        yield f"{name} is {unit.state} in the database, its job is in {' and '.join(places) or 'no list'}"
    fields = seen.plain.hashes.get(found)
    if fields is None:
        yield f"{name}: its job has no hash"
    else:
        yield from (f"{name}: its job's {each}" for each in _torn(fields, unit, seen, places))


def _torn(fields: Mapping[str, str], unit: UnitAccount, seen: Seen, places: list[str]) -> Iterator[str]:
    """What is not whole in a job's hash."""
    expected: dict[str, Any] = {
        "unit": unit.id,
        "generation": str(seen.generation_id),
        "ordinal": unit.ordinal,
        "round": unit.round,
    }
    if fields.get("name") != unit.stage:
        yield f"name is {fields.get('name')}"
    if _json(fields.get("data")) != expected:
        yield f"data are {fields.get('data')}"
    if (attempts := _json(fields.get("opts")).get("attempts")) != ATTEMPTS:
        yield f"opts allow {attempts} attempts, not {ATTEMPTS}"
    if not fields.get("timestamp", "").isdecimal():
        yield f"timestamp is {fields.get('timestamp')}"
    wanted = {"completed": ("finishedOn", "returnvalue"), "failed": ("finishedOn", "failedReason")}
    for state in places:
        yield from (f"{field} is missing" for field in wanted.get(state, ()) if field not in fields)


def _json(raw: str | None) -> dict[str, Any]:
    try:
        value = orjson.loads(raw or "null")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


class Looker:
    """Looks at a queue's Redis until all readings agree, and says what does not if they never do."""

    def __init__(self, service: Service, told: Any) -> None:
        self._service = service
        self._told = told  # async: the counts that the API tells, None while it is dead

    async def look(self, generation_id: UUID, when: str, *, cut_off: bool = False) -> Look:
        """One look. What runs moves between two readings, so that is read again for some seconds until it agrees.

        `cut_off`: all workers are dead. Nothing moves then.
        """
        began = time.monotonic()
        while True:
            seen = await self._see(generation_id, cut_off=cut_off)
            wrong = differences(seen)
            if not wrong or time.monotonic() - began > SETTLED_WITHIN:
                by_state = {state: n for state, n in seen.plain.counts.items() if n}
                return Look(when=when, by_state=by_state, hashes=len(seen.plain.hashes), wrong=tuple(wrong))
            await asyncio.sleep(AGAIN)

    async def _see(self, generation_id: UUID, *, cut_off: bool) -> Seen:
        queue, generations = self._service.queue, self._service.generations
        return Seen(
            plain=await asyncio.to_thread(self._plain, generation_id),
            ours=await queue.counts(),
            told=await self._told(),
            account=await generations.account(generation_id),
            generation_id=generation_id,
            cut_off=cut_off,
        )

    def _plain(self, generation_id: UUID) -> Plain:
        with PlainRedis(self._service.redis_url) as redis:
            return read_plain(redis, self._service.queue.keys.base, generation_id)
