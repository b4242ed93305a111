"""Repeatables as producers and operators see them: set, list, remove."""

import itertools
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Unpack

import orjson

from holdfast.errors import BadJob, QueueUnavailable
from holdfast.queue.client.producing import Producing
from holdfast.queue.client.repeating import LOOK_CHUNK, Found, look
from holdfast.queue.jobs.repeatables import (
    RULE_FIELDS,
    Millis,
    Repeatable,
    RepeatFields,
    Rule,
    Run,
    at,
    count_of,
    rule_of,
    stems_of,
)
from holdfast.queue.scripts import Armed, Standing

TRIES = 50  # times to set a repeatable that others set at the same moment


class Scheduling(Producing):
    """Jobs that are added again and again, by the workers."""

    async def repeat(self, name: str, data: Any = None, **fields: Unpack[RepeatFields]) -> Repeatable:
        """Run a job again and again: at the times of `cron` (in zone `tz`), or at multiples of `every` since 1970.

        Asking again for the same name, times and job_id changes the data and the options of the runs to come, so that
        a program may ask at each start. Runs that were missed, because no worker was up, are made up for by one.
        BadJob: the times, the data or an option cannot be used, or there is no run to come.
        """
        rule = rule_of(name, fields)
        options = {option: value for option, value in fields.items() if option not in RULE_FIELDS}
        raw, opts = self._wires.repeated(name, data, options)
        first = Run(key=rule.key, stem=rule.stem, due_ms=0, name=name, data=raw, opts=opts)
        for _ in range(TRIES):
            run, word = await self._patiently(lambda: self._arm(rule, first, fields))
            if word == "ok" and run is not None:
                return Repeatable.of(run)
            if word == "ended":
                raise BadJob(f"{name!r} has no run to come: its end or its limit is reached")
        raise QueueUnavailable(f"others keep changing the repeatable {first.key!r}; try again")

    async def _arm(self, rule: Rule, first: Run, fields: Mapping[str, Any]) -> tuple[Run | None, Armed]:
        # Safe to do again after a lost reply: the same run is found and armed in its own place.
        now_ms, (standing,) = await self._scripts.standing([(first.key, first.stem)])
        run = _next(rule, first, standing, now_ms, fields)
        expected = None if standing.word == "gone" else standing.due_ms
        return run, await self._scripts.arm(self.id, first.key, expected, run, now_ms)

    async def repeatables(self) -> list[Repeatable]:
        """What runs again and again, by us or by Node, the next to run first."""
        listed: list[Repeatable] = []
        for start in itertools.count(0, LOOK_CHUNK):
            _, found = await self._patiently(lambda start=start: look(self._scripts, start))  # type: ignore[misc]
            if not found:  # a look may find fewer than a chunk because some were removed just then
                break
            listed += [_listed(each) for each in found]
        return listed

    async def remove_repeatable(self, key: str | Repeatable) -> bool:
        """Run it no more; a run that waits or runs already goes on. False when there is no such key."""
        name = key.key if isinstance(key, Repeatable) else key
        return await self._patiently(lambda: self._scripts.disarm(name, stems_of(name))) == "ok"


def _next(rule: Rule, first: Run, standing: Standing, now_ms: Millis, fields: Mapping[str, Any]) -> Run | None:
    """The run to arm for a caller who asks for this rule, None when there is none."""
    count = _count(standing) if standing.word in ("pending", "taken") else count_of(fields)
    due_ms: Millis | None
    if standing.word == "pending" or (standing.word == "missing" and standing.due_ms > now_ms):
        due_ms, count = standing.due_ms, count or 1
    else:
        at_once = standing.word == "gone" and fields.get("immediately")
        due_ms, count = now_ms if at_once else rule.next_ms(max(now_ms, standing.due_ms)), count + 1
    if due_ms is None or (rule.limit is not None and count > rule.limit):
        return None
    return replace(first, due_ms=due_ms, opts={**first.opts, "repeat": rule.to_wire(count)})


def _count(standing: Standing) -> int:
    try:
        return int(orjson.loads(standing.opts)["repeat"]["count"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return 0


def _listed(found: Found) -> Repeatable:
    if found.run is not None:
        with suppress(BadJob):
            return Repeatable.of(replace(found.run, due_ms=found.due_ms))
    return Repeatable(key=found.key, name=found.key.partition(":")[0], next_run=at(found.due_ms))
