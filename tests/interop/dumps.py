"""What a queue's keys hold and what its channels said, with clocks and tokens made equal."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import redis.asyncio

Dump: TypeAlias = dict[str, Any]  # key without the queue's prefix -> what it holds
Message: TypeAlias = tuple[str, Any]  # channel without the queue's prefix and without the token; what it said

CLOCK_FIELDS = ("timestamp", "processedOn", "finishedOn", "retriedOn")
JSON_FIELDS = ("data", "opts", "progress", "returnvalue")
ROUND_MS = 60_000  # delays in the sequences are multiples of ten minutes; a sequence takes seconds


@dataclass
class Watched:
    """One queue, watched from outside."""

    client: "redis.asyncio.Redis"
    base: str  # '<prefix>:<queue>:'
    started_ms: int
    _messages: list[Message] = field(default_factory=list)

    async def dump(self) -> Dump:
        """Everything below the prefix, at a moment when nobody writes."""
        keys = [key async for key in self.client.scan_iter(f"{self.base}*", count=1000)]
        async with self.client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.type(key)
            kinds = await pipe.execute()
            for key, kind in zip(keys, kinds, strict=True):
                self._read(pipe, key, kind)
            values = await pipe.execute()
        found = {key.removeprefix(self.base): value for key, value in zip(keys, values, strict=True)}
        return {key: self._plain(key, value, found) for key, value in found.items()}

    def _read(self, pipe: Any, key: str, kind: str) -> None:
        match kind:
            case "string":
                pipe.get(key)
            case "list":
                pipe.lrange(key, 0, -1)
            case "set":
                pipe.smembers(key)
            case "zset":
                pipe.zrange(key, 0, -1, withscores=True)
            case "hash":
                pipe.hgetall(key)
            case _:
                pipe.type(key)

    def _plain(self, key: str, value: Any, found: Dump) -> Any:
        if key.endswith(":lock"):
            return "<token>"
        if key == "delayed":
            return [(job_id, self._due(score / 4096), int(score) % 4096) for job_id, score in value]
        if key in ("completed", "failed"):
            # Ends within one millisecond have no order; their times must be the jobs' own.
            return sorted((job_id, str(int(score)) == found[job_id]["finishedOn"]) for job_id, score in value)
        if isinstance(value, dict):
            return {name: self._field(name, text) for name, text in value.items()}
        return sorted(value) if isinstance(value, set) else value

    def _field(self, name: str, text: str) -> Any:
        if name in CLOCK_FIELDS:
            return self._clock(text)
        if name in JSON_FIELDS:
            value = json.loads(text)
            if name == "opts":
                value["timestamp"] = self._clock(str(value["timestamp"]))
            return value
        if name in ("stacktrace", "pastFailures"):
            return [re.findall(r"reason \d+", trace)[:1] for trace in json.loads(text)]
        return text

    def _clock(self, text: str) -> str:
        return "<time>" if text.isdigit() and 0 <= int(text) - self.started_ms + 1_000 < 120_000 else text

    def _due(self, due_ms: float) -> int:
        """Minutes from the start to a due time."""
        return round((due_ms - self.started_ms) / ROUND_MS)

    def hear(self, channel: str, text: str) -> None:
        """Note a message."""
        name, at, _token = channel.removeprefix(self.base).partition("@")
        said: Any = text
        if name == "delayed":
            said = self._due(float(text))
        elif name in ("completed", "failed", "progress"):
            said = json.loads(text)
        self._messages.append((name + at, said))

    def heard(self) -> list[Message]:
        """The messages since the last call."""
        messages, self._messages = self._messages, []
        return messages


class Channels:
    """Hands the messages on all channels to the queue they belong to."""

    def __init__(self, client: "redis.asyncio.Redis", watched: list[Watched]) -> None:
        self._client = client
        self._pubsub = client.pubsub()
        self._watched = watched
        self._rounds = 0

    async def open(self) -> None:
        """Begin to hear."""
        await self._pubsub.psubscribe("*")
        await self.settle()

    async def settle(self) -> None:
        """Read all that was published until now: one's own message comes after all of that."""
        self._rounds += 1
        await self._client.publish("settled", self._rounds)
        async with asyncio.timeout(30):
            async for message in self._pubsub.listen():
                if message["channel"] == "settled":
                    if message["data"] == str(self._rounds):
                        return
                    continue
                for each in self._watched:
                    if message["channel"].startswith(each.base):
                        each.hear(message["channel"], message["data"])

    async def close(self) -> None:
        """Hear no more."""
        await self._pubsub.aclose()
