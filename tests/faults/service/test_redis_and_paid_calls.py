"""Whatever Redis does while calls are paid for: nothing is lost, no call is made twice, work resumes by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis.asyncio
from tests.faults.queue.conftest import Tape
from tests.faults.queue.test_redis_refuses import a_full_disk, a_replica, no_memory
from tests.faults.queue.wire import Wire
from tests.faults.service.paid import CLUSTERS, MODEL, Record, check_resumed
from tests.faults.service.stack import Stack, generation_of, until
from tests.redis_servers import PASSWORD, SentinelSetup, Server, eventually, program_with, running
from tests.service_worker import working

from holdfast.embedded import RedisServer
from holdfast.embedded.binaries import find_redis
from holdfast.service import Service, open_service
from holdfast.stub import StubProvider

DOWN = 2.0  # seconds a killed Redis is away
REFUSES = 5.0  # seconds it takes no writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Calls are under way; a fault is about to come."""

    redis: RedisServer
    tape: Tape
    service: Service
    provider: StubProvider
    generation_id: UUID


async def under_way(service: Service, provider: StubProvider) -> UUID:
    """A generation whose labels are all being bought: billed, and their replies held."""
    generation_id = await generation_of(service, clusters=CLUSTERS, model=MODEL)
    await provider.waiting(CLUSTERS, within=90)
    return generation_id


@asynccontextmanager
async def killed(scene: Scene) -> AsyncIterator[None]:
    await asyncio.to_thread(scene.redis.kill)
    yield
    await asyncio.sleep(DOWN)
    await asyncio.to_thread(scene.redis.start)


@asynccontextmanager
async def emptied(scene: Scene) -> AsyncIterator[None]:
    async with redis.asyncio.Redis.from_url(scene.redis.url) as client:
        await client.flushall()
    yield


@asynccontextmanager
async def on_a_new_disk(scene: Scene) -> AsyncIterator[None]:
    await asyncio.to_thread(scene.tape.erase)
    yield
    await asyncio.to_thread(scene.redis.start)


@asynccontextmanager
async def rewound(scene: Scene) -> AsyncIterator[None]:
    """Two labels were done in the second that Redis forgets."""
    scene.tape.mark()
    scene.provider.release(2)
    await until(scene.service, scene.generation_id, lambda status: status.n_completed == 2)
    await asyncio.to_thread(scene.tape.rewind)
    yield
    await asyncio.to_thread(scene.redis.start)


@asynccontextmanager
async def losing_its_clients(scene: Scene) -> AsyncIterator[None]:
    """CLIENT KILL, again and again for two seconds."""
    async with redis.asyncio.Redis.from_url(scene.redis.url) as client:
        await client.client_kill_filter(_type="normal", skipme=True)
        yield
        for _ in range(20):
            await client.client_kill_filter(_type="normal", skipme=True)
            await asyncio.sleep(0.1)


@asynccontextmanager
async def standing_still(scene: Scene) -> AsyncIterator[None]:
    async with redis.asyncio.Redis.from_url(scene.redis.url) as client:
        await client.client_pause(4000)  # longer than a presence lasts
    yield


FAULTS = [killed, emptied, on_a_new_disk, rewound, losing_its_clients, standing_still]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_redis_that_fails_under_paid_calls_costs_nothing(
    paying: StubProvider,
    stack: Stack,
    service: Service,
    own_folder: Path,
    record_property: Record,
    fault: Callable[[Scene], AbstractAsyncContextManager[None]],
) -> None:
    paying.hold()
    async with working(service):
        generation_id = await under_way(service, paying)
        tape = Tape(stack.redis, own_folder)
        scene = Scene(redis=stack.redis, tape=tape, service=service, provider=paying, generation_id=generation_id)

        async with fault(scene):
            paying.release(3)
        paying.release()

        await check_resumed(service, paying, generation_id, record_property)


@pytest.fixture
def refusing(own_folder: Path) -> Iterator[Server]:
    """A Redis that does not die of a file it may not write."""
    wrapped = own_folder / "redis-server"
    wrapped.write_text(f"#!/bin/sh\ntrap '' XFSZ\nexec '{find_redis()}' \"$@\"\n")
    wrapped.chmod(0o700)
    server = Server(wrapped, own_folder / "refusing").start()
    yield server
    server.kill()


@pytest.mark.parametrize("refusal", [no_memory, a_replica, a_full_disk])
async def test_a_redis_that_takes_no_writes_under_paid_calls_demotes_none_of_them(
    paying: StubProvider,
    refusing: Server,
    database_url: str,
    tmp_path: Path,
    record_property: Record,
    refusal: Callable[[Server], AbstractAsyncContextManager[None]],
) -> None:
    settings = Stack(redis=refusing, database_url=database_url, home=tmp_path).settings()  # type: ignore[arg-type]
    paying.hold()
    async with open_service(settings) as service, working(service):
        generation_id = await under_way(service, paying)

        async with refusal(refusing):
            paying.release(3)
            refused = await until(service, generation_id, lambda status: status.n_completed == 3)
            await asyncio.sleep(REFUSES)
        paying.release()
        ended = await check_resumed(service, paying, generation_id, record_property)

    assert refused[-1].ledger.n_calls == 3
    assert ended.ledger.n_in_doubt == 0


async def test_replies_of_redis_cut_in_the_middle_under_paid_calls_cost_nothing(
    paying: StubProvider, own_redis: RedisServer, database_url: str, tmp_path: Path, record_property: Record
) -> None:
    async with Wire(own_redis.url).laid() as wire:
        settings = Stack(redis=wire, database_url=database_url, home=tmp_path).settings()  # type: ignore[arg-type]
        paying.hold()
        async with open_service(settings) as service, working(service):
            generation_id = await under_way(service, paying)

            wire.cut_replies_after(3_000)
            wire.cut()
            paying.release()

            await check_resumed(service, paying, generation_id, record_property)

    assert wire.cuts > 0


@pytest.mark.parametrize("lost", [False, True])
async def test_a_failover_under_paid_calls_costs_nothing_and_what_it_lost_is_put_back(
    paying: StubProvider, own_folder: Path, database_url: str, tmp_path: Path, record_property: Record, lost: bool
) -> None:
    program = program_with()
    assert program is not None
    sentinels = SentinelSetup(program, own_folder)
    with running(*sentinels.servers):
        await asyncio.to_thread(sentinels.start)
        settings = Stack(redis=sentinels, database_url=database_url, home=tmp_path).settings()  # type: ignore[arg-type]
        paying.hold()
        async with open_service(settings) as service, working(service):
            generation_id = await under_way(service, paying)
            with sentinels.primary.client(password=PASSWORD) as client:
                await asyncio.to_thread(client.wait, 1, 5_000)

            await asyncio.to_thread(sentinels.primary.kill)
            paying.release(3)
            await promoted(sentinels, emptied=lost)
            paying.release()

            await check_resumed(service, paying, generation_id, record_property)


async def promoted(sentinels: SentinelSetup, *, emptied: bool) -> None:
    """Wait until the replica is the primary; `emptied`: it has heard of nothing."""

    def is_primary() -> Any:
        with sentinels.replica.client(password=PASSWORD) as client:
            if client.role()[0] != "master":
                return False
            return client.flushall() if emptied else True

    await asyncio.to_thread(eventually, is_primary, within=60.0)
