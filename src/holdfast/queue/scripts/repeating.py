"""The scripts of repeatables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

import orjson

from holdfast.queue.jobs.repeatables import Millis, Run
from holdfast.queue.link.wire import Argument
from holdfast.queue.scripts.loading import Caller

Armed: TypeAlias = Literal["ok", "moved", "ended"]
Word: TypeAlias = Literal["gone", "pending", "taken", "missing"]

SEARCHED = 2_000  # lists longer than this are not searched for the job of a repeatable


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a repeatable's next job is; of a missing or gone one name, data and opts are empty."""

    key: str
    stem: str
    due_ms: Millis
    word: Word
    name: str
    data: bytes
    opts: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What the next job of a repeatable is made of."""

    stem: str
    name: str
    data: bytes
    opts: bytes


class RepeatScripts(Caller):
    """Arms repeatables."""

    async def arm(self, sender: str, key: str, expected: Millis | None, run: Run | None, now_ms: Millis) -> Armed:
        """Add the next run, None to end it; does nothing unless the key's score is the expected one."""
        k = self._keys
        keys = (k.repeat, k.delayed, k.id)
        args: list[Argument] = [k.base, sender, key, "" if expected is None else str(expected)]
        if run is None:
            args += [""] * 8
        else:
            opts, delay_ms = run.opts_at(now_ms)
            args += [str(run.due_ms), run.stem, run.name, run.data, opts, now_ms, delay_ms, _priority(run)]
        return cast("Armed", (await self._run("arm", keys, args)).decode())

    async def standing(self, pairs: Sequence[tuple[str, str]]) -> tuple[Millis, list[Standing]]:
        """The server's time (ms), and where the next jobs of these (repeat key, stem) are."""
        k = self._keys
        args: list[Argument] = [k.base, SEARCHED, *(value for pair in pairs for value in pair)]
        now, *values = await self._run("standing", (k.repeat, k.delayed, k.wait, k.paused), args)
        return int(now), [_standing(pair, values[i * 5 : i * 5 + 5]) for i, pair in enumerate(pairs)]

    async def disarm(self, key: str, stems: Sequence[str]) -> Literal["ok", "missing"]:
        """End a repeatable."""
        k = self._keys
        reply = await self._run("disarm", (k.repeat, k.delayed), (k.base, key, *stems))
        return cast('Literal["ok", "missing"]', reply.decode())

    async def schedules(self, start: int, end: int) -> list[tuple[str, Millis, Schedule | None]]:
        """Repeat keys and their next runs (ms), in this order, with what is kept of what their jobs are made of."""
        raw = await self._link.call("ZRANGE", self._keys.repeat, start, end, "WITHSCORES")
        keys = [key.decode(errors="replace") for key in raw[::2]]
        if not keys:
            return []
        kept = await self._link.call("MGET", *(self._keys.schedule(key) for key in keys))
        return [
            (key, int(float(score)), _schedule(value)) for key, score, value in zip(keys, raw[1::2], kept, strict=True)
        ]

    async def now_ms(self) -> Millis:
        """The server's time."""
        seconds, micros = await self._link.call("TIME")
        return int(seconds) * 1000 + int(micros) // 1000


def _standing(pair: tuple[str, str], values: Sequence[bytes]) -> Standing:
    score, word, name, data, opts = values
    return Standing(
        key=pair[0],
        stem=pair[1],
        due_ms=int(float(score or 0)),
        word=cast("Word", word.decode()),
        name=name.decode(errors="replace"),
        data=data,
        opts=opts,
    )


def _schedule(raw: bytes | None) -> Schedule | None:
    try:
        stem, name, data, opts = orjson.loads(raw or b"null")
        return Schedule(stem=stem, name=name, data=data.encode(), opts=opts.encode())
    except (orjson.JSONDecodeError, TypeError, ValueError, AttributeError):
        return None


def _priority(run: Run) -> int:
    priority = run.opts.get("priority")
    return int(priority) if isinstance(priority, int | float) else 0
