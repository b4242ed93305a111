"""One random fault after another, to everything a deployment is made of."""

import asyncio
import os
import random
import signal
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

import redis.asyncio
from tests.faults.service.stack import Stack

from holdfast.embedded import PostgresServer
from holdfast.stub import StubProvider

Fault = Callable[[], Awaitable[None]]

WORKERS = 2
CALL_SECONDS = "4"
# Where a new worker may be told to die; two in three are told nothing.
POINTS = ("job taken", "intent stored", "call returned", "reply stored", "unit computed", "unit done")
BATCH_POINTS = ("batch committed", "batch submitted")
REFUSALS = ("rate_limit", "overloaded", "server_error", "close_on_accept", "timeout_before_billing", "slow")
BILLED = ("cut_body", "timeout_after_billing", "truncated_json", "wrong_schema", "max_tokens", "refusal")
ITEMS = ("batch_item_error", "batch_expire")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What can be hurt."""

    stack: Stack
    postgres: PostgresServer
    provider: StubProvider


class Havoc:
    """Hurts, and mends what it hurt."""

    def __init__(self, parts: Parts, seed: int) -> None:
        self.random = random.Random(seed)
        self._parts = parts
        self._workers: list[subprocess.Popen[str]] = []
        self.done: list[str] = []

    async def go_on_until(self, end: float) -> None:
        """One fault after another; afterwards everything is as it should be."""
        faults: list[tuple[Fault, int]] = [
            (self.kill_worker, 5), (self.freeze_worker, 3), (self.stop_worker, 2), (self.arm_worker, 4),
            (self.kill_redis, 2), (self.freeze_redis, 2), (self.pause_redis, 2), (self.cut_redis, 3),
            (self.fill_redis, 2), (self.empty_redis, 1), (self.kill_postgres, 2), (self.cut_postgres, 2),
            (self.kill_provider, 2), (self.refuse, 4), (self.bill_for_nothing, 3), (self.fail_in_batch, 1),
            (self.kill_everything, 1),
        ]  # fmt: skip
        for _ in range(WORKERS):
            self.hire()
        while monotonic() < end:
            (fault,) = self.random.choices([f for f, _ in faults], [weight for _, weight in faults])
            self.done.append(fault.__name__)
            await fault()
            self._replace_the_dead()
            await asyncio.sleep(self.random.uniform(0.5, 4.0))  # faults come when they come
        await asyncio.to_thread(self._parts.provider.no_faults)
        for worker in list(self._workers):  # some still carry an armed point
            await self._end(worker, signal.SIGTERM)

    def hire(self, fault: str = "") -> None:
        """One more worker process."""
        self._workers.append(self._parts.stack.start("worker", "--concurrency", "4", HOLDFAST_FAULT=fault))

    def _replace_the_dead(self) -> None:
        for worker in list(self._workers):
            if worker.poll() is not None:
                self._workers.remove(worker)
                self.hire()

    def _one(self) -> subprocess.Popen[str]:
        return self.random.choice(self._workers)

    async def _end(self, worker: subprocess.Popen[str], how: signal.Signals, fault: str = "") -> None:
        self._workers.remove(worker)
        worker.send_signal(how)
        self.hire(fault)

    async def kill_worker(self) -> None:
        await self._end(self._one(), signal.SIGKILL)

    async def stop_worker(self) -> None:
        await self._end(self._one(), signal.SIGTERM)

    async def arm_worker(self) -> None:
        point = self.random.choice([*POINTS, *BATCH_POINTS])
        await self._end(self._one(), signal.SIGTERM, f"{point}:{self.random.randint(1, 4)}")

    async def freeze_worker(self) -> None:
        worker = self._one()
        worker.send_signal(signal.SIGSTOP)
        await asyncio.sleep(self.random.choice([0.5, 4.0, 8.0]))
        worker.send_signal(signal.SIGCONT)

    async def kill_redis(self) -> None:
        await asyncio.to_thread(self._parts.stack.redis.kill)
        await asyncio.sleep(self.random.choice([0.0, 2.0, 5.0]))
        await asyncio.to_thread(self._parts.stack.redis.start)

    async def freeze_redis(self) -> None:
        assert self._parts.stack.redis.pid is not None
        os.kill(self._parts.stack.redis.pid, signal.SIGSTOP)
        await asyncio.sleep(self.random.choice([0.3, 2.0, 5.0]))
        os.kill(self._parts.stack.redis.pid, signal.SIGCONT)

    async def pause_redis(self) -> None:
        async with self._redis() as client:
            await client.client_pause(self.random.choice([300, 2_000, 4_000]))

    async def cut_redis(self) -> None:
        async with self._redis() as client:
            for _ in range(self.random.randint(1, 10)):
                await client.client_kill_filter(_type=self.random.choice(["normal", "pubsub"]), skipme=True)

    async def fill_redis(self) -> None:
        async with self._redis() as client:
            await client.config_set("maxmemory", "1")
            await asyncio.sleep(self.random.choice([0.3, 2.0, 5.0]))
            await client.config_set("maxmemory", "0")

    async def empty_redis(self) -> None:
        async with self._redis() as client:
            await client.flushall()

    async def kill_postgres(self) -> None:
        await asyncio.to_thread(self._parts.postgres.kill)
        await asyncio.sleep(self.random.choice([0.0, 1.0, 4.0]))
        await asyncio.to_thread(self._parts.postgres.start)

    async def cut_postgres(self) -> None:
        cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        await asyncio.to_thread(self._parts.postgres.sql, f"{cut} AND datname IS NOT NULL")

    async def kill_provider(self) -> None:
        await asyncio.to_thread(self._parts.provider.kill)
        await asyncio.sleep(self.random.choice([0.0, 1.0, 3.0]))
        await asyncio.to_thread(self._parts.provider.restart)

    async def refuse(self) -> None:
        await self._plan(self.random.choice(REFUSALS))

    async def bill_for_nothing(self) -> None:
        await self._plan(self.random.choice(BILLED))

    async def fail_in_batch(self) -> None:
        await self._plan(self.random.choice(ITEMS))

    async def _plan(self, fault: str) -> None:
        rule = {"fault": fault, "times": self.random.randint(1, 3)}
        await asyncio.to_thread(self._parts.provider.faults, rule)

    async def kill_everything(self) -> None:
        """As a power cut does: every worker, both servers and the provider's connections at once."""
        for worker in list(self._workers):
            await self._end(worker, signal.SIGKILL)
        await asyncio.to_thread(self._parts.stack.redis.kill)
        await asyncio.to_thread(self._parts.postgres.kill)
        await asyncio.sleep(self.random.choice([0.0, 2.0]))
        await asyncio.to_thread(self._parts.postgres.start)
        await asyncio.to_thread(self._parts.stack.redis.start)

    def _redis(self) -> redis.asyncio.Redis:
        return redis.asyncio.Redis.from_url(self._parts.stack.redis.url)
