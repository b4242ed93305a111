"""What the tests of repeatables share: when a run is due, and how to make one late."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import redis.asyncio

from holdfast.queue import Job

Until = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]


async def idle(_job: Job) -> None:
    pass


async def due_at(client: redis.asyncio.Redis, key: str) -> int:
    score = await client.zscore("bull:q:repeat", key)
    assert score is not None
    return int(score)


async def rewind(client: redis.asyncio.Redis, key: str, by_ms: int) -> int:
    """Make it as if the next run had been due so much earlier; returns when that was."""
    due = await due_at(client, key)
    (old,) = await client.zrange("bull:q:delayed", 0, -1)
    stem, earlier = old.rpartition(":")[0], due - by_ms
    new = f"{stem}:{earlier}"
    opts = orjson.loads(await client.hget(f"bull:q:{old}", "opts") or b"")
    await client.hset(f"bull:q:{old}", "opts", orjson.dumps(opts | {"jobId": new, "prevMillis": earlier}))
    await client.rename(f"bull:q:{old}", f"bull:q:{new}")
    await client.zrem("bull:q:delayed", old)
    await client.zadd("bull:q:delayed", {new: earlier * 4096})
    await client.zadd("bull:q:repeat", {key: earlier})
    return earlier
