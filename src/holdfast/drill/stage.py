"""Where a drill plays: servers of its own in a folder of its own, a stub provider, real API and worker processes."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

from holdfast.drill.client import Api
from holdfast.drill.facts import Setting
from holdfast.drill.folders import clear_away, own_folder
from holdfast.drill.looks import Looker
from holdfast.drill.programs import Program, Programs, environment_of
from holdfast.drill.servers import Fsync, OwnRedis, TheirRedis, open_redis, running
from holdfast.drill.watch import until
from holdfast.errors import HoldfastError, NotConfigured
from holdfast.service import Service, open_service
from holdfast.settings import Settings
from holdfast.stub import StubOptions, StubProvider

RUNS = "drill"  # below the data folder
WORKERS = 2
MOST_EACH = 2  # labels a worker has in its hands: with more, none of ten clusters would wait when something dies
UP_SECONDS = 60.0
LATENCY_MS = 500.0  # of a call, between its bill and its reply
PRICE_OF_CALL = Decimal("1.50")
# Every call uses 1,200 tokens in and 600 out, whatever it asks: $0.30 and $1.20.
STUB = StubOptions(latency_ms=LATENCY_MS, prices={"stub-model": "250,2000"}, tokens=(1200, 600))
MODEL = "anthropic:stub-model"


@dataclass(kw_only=True)
class Stage:
    """Everything that runs. PostgreSQL is always the drill's own, and is not killed."""

    folder: Path
    service: Service
    redis: OwnRedis | TheirRedis
    provider: StubProvider
    programs: Programs
    api: Api
    api_program: Program | None = None
    workers: list[Program] = field(default_factory=list)

    @property
    def own_redis(self) -> OwnRedis | None:
        """The Redis if it may be killed."""
        return self.redis if isinstance(self.redis, OwnRedis) else None

    @property
    def concurrency(self) -> int:
        """Labels that one worker makes at once."""
        return min(self.service.settings.concurrency, MOST_EACH)

    @property
    def in_hands(self) -> int:
        """Labels that all workers make at once."""
        return WORKERS * self.concurrency

    @property
    def looker(self) -> Looker:
        return Looker(self.service, self._told)

    def settings(self) -> list[Setting]:
        """Where and how it plays, for the report."""
        settings = self.service.settings
        return [
            Setting(name="Redis", value=self.redis.told),
            Setting(name="PostgreSQL", value="of the drill's own"),
            Setting(name="workers", value=f"{WORKERS}, with {self.concurrency} labels at once each"),
            Setting(name="queue", value=f"{self.service.queue.keys.base}*"),
            Setting(name="lock", value=f"{settings.lock_seconds:g} s"),
            Setting(name="reconciler", value=f"every {settings.reconcile_seconds:g} s"),
            Setting(name="model", value=f"{MODEL} on loopback, ${PRICE_OF_CALL} a call, {LATENCY_MS:.0f} ms"),
        ]

    async def start_programs(self) -> None:
        """Start the API and the workers that do not run, and wait for them."""
        if self.api_program is None or not self.api_program.alive:
            self.api_program = self.programs.start("serve", "--no-worker", f"--port={self.api.port}")
        self.workers = [worker for worker in self.workers if worker.alive]
        while len(self.workers) < WORKERS:
            self.workers.append(self.programs.start("worker", f"--concurrency={self.concurrency}"))
        if not await until(self._is_up, within=UP_SECONDS):
            raise HoldfastError(f"the API and {WORKERS} workers were not up within {UP_SECONDS:.0f} s")

    def kill_programs(self) -> None:
        """SIGKILL of the API and every worker."""
        for program in [*self.workers, *filter(None, [self.api_program])]:
            program.kill()

    async def _is_up(self) -> bool:
        self.programs.check()
        alive = {worker.pid for worker in await self.service.queue.workers()}
        return {worker.pid for worker in self.workers} <= alive and await self.api.answers()

    async def _told(self) -> dict[str, int] | None:
        dead = self.api_program is None or not self.api_program.alive
        return None if dead else await self.api.counts()


@asynccontextmanager
async def open_stage(
    settings: Settings, *, keep: bool = False, fsync: Fsync = "always", on_my_redis: bool = False
) -> AsyncIterator[Stage]:
    """Start servers of the drill's own, whatever REDIS_URL and DATABASE_URL say; all is stopped and removed at the end.

    `on_my_redis`: the Redis is that of the settings. Raises NotConfigured, Unavailable, EmbeddedError.
    """
    _check_client()
    runs = settings.home / RUNS
    await asyncio.to_thread(clear_away, runs)
    with own_folder(runs, keep=keep) as folder:
        provider = StubProvider(folder / "provider", STUB)
        async with (
            open_redis(settings, folder / "redis", fsync=fsync, on_theirs=on_my_redis) as redis,
            running(provider.start, provider.stop),
            open_service(_sandboxed(settings, folder, redis)) as service,
        ):
            programs = Programs(folder, environment_of(service) | provider.environment())
            try:
                yield Stage(
                    folder=folder,
                    service=service,
                    redis=redis,
                    provider=provider,
                    programs=programs,
                    api=Api(_free_port()),
                )
            finally:
                await programs.stop()


def _sandboxed(settings: Settings, folder: Path, redis: OwnRedis | TheirRedis) -> Settings:
    """The user's settings, but for servers, money and faults: those are the drill's own."""
    servers = {"redis_url_given": redis.url, "redis_host": None, "queue_prefix": redis.prefix, "database_url": None}
    caps = dict.fromkeys(("max_call_usd", "max_generation_usd", "max_key_month_usd", "max_month_usd"))
    own = {"home": folder, "fault": "", "host": "127.0.0.1", "api_keys": ()}
    return settings.model_copy(update=servers | caps | own)


def _free_port() -> int:
    """One that the API keeps when it is started again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _check_client() -> None:
    """The workers speak to the stand-in as they speak to the provider. Raises NotConfigured."""
    if find_spec("anthropic") is None:
        raise NotConfigured(
            'anthropic is not installed; the drill buys its labels by it: pip install "holdfast[app,llm]"'
        )
