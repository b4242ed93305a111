"""Gathers the facts, each server's within bounded time, and has them judged."""

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from urllib.parse import urlsplit

from holdfast import __version__
from holdfast.doctor import network_checks, postgres_checks, redis_checks, upkeep_checks
from holdfast.doctor.lines import Line, Name, Report, fail, ok
from holdfast.doctor.models import model_facts
from holdfast.doctor.stamps import STAMPS, BackupFacts, stamp
from holdfast.embedded import Servers, open_servers
from holdfast.errors import EmbeddedError, HoldfastError, NotConfigured, UnfitServer
from holdfast.queue import Queue
from holdfast.service import QUEUE, last_scrape, opened
from holdfast.settings import Settings
from holdfast.store import Database, health

PATIENCE = 5.0  # seconds the questions to one server may take together
CONNECT_WAIT = 2.0  # seconds a server may be away before that is what is said
MIGRATE_WAIT = 30.0  # seconds

_UNFIT: dict[str, Name] = {"too_old": "redis version", "sentinel": "redis", "no_hash_tag": "redis cluster"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """Looks at one deployment; any number of times."""

    settings: Settings
    queue: Queue | None  # None: it could not be opened, and `broken` says why
    database: Database | None
    database_url: str
    embedded: bool  # whether servers run in this machine's data folder
    broken: tuple[Line, ...] = ()

    async def examine(self) -> Report:
        """Every line that can be known now; takes at most a few seconds, also when servers are away. Never raises
        for what it finds."""
        began = monotonic()
        (redis, scraped), (postgres, models) = await asyncio.gather(self._redis(), self._postgres())
        facts = model_facts(self.settings, models)
        lines = [
            *self.broken,
            *redis,
            *postgres,
            upkeep_checks.metrics(scraped),
            upkeep_checks.alerts(self.settings.alerts),
            *self._disk(),
            upkeep_checks.provider_keys(facts),
            upkeep_checks.prices(facts),
            upkeep_checks.versions(__version__),
        ]
        return Report.of(lines, took=timedelta(seconds=monotonic() - began))

    async def answers(self) -> bool:
        """Whether both servers answer now: two round trips."""
        if self.queue is None or self.database is None:
            return False
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(self.queue.ping(), self.database.ping())
        except Exception:  # noqa: BLE001 - an examination says what it is
            return False
        return True

    async def _redis(self) -> tuple[list[Line], timedelta | None]:
        queue = self.queue
        if queue is None:
            return [], None
        try:
            async with asyncio.timeout(PATIENCE):
                link = await queue.link_facts()  # alone, or its pings would wait for the other questions
                server, growth = await asyncio.gather(queue.server_facts(), queue.growth())
                at = await last_scrape(queue)
                scraped = None if at is None else datetime.now(UTC) - at
        except UnfitServer as error:
            return [fail(_UNFIT[error.reason], str(error), _unfit_fix(error, queue))], None
        except (HoldfastError, TimeoutError) as error:
            return [_away("redis", queue.url, str(error), embedded=self.settings.redis_url is None)], None
        in_folder = self.settings.redis_url is None
        lines = [
            ok("redis", f"answers at {_place(queue.url)}"),
            redis_checks.version(server),
            redis_checks.persistence(server),
            redis_checks.loss(server),
            redis_checks.memory(server, growth),
            redis_checks.eviction(server),
            network_checks.access(server, link),
            network_checks.encryption(link),
            redis_checks.cluster(server, link),
            network_checks.latency("redis latency", link.pings),
            network_checks.clock("redis clock", link.skew),
            network_checks.reconnects(server, link, embedded=in_folder),
            network_checks.reconnecting(link),
            redis_checks.retention(growth),
            redis_checks.growing(server, growth),
            redis_checks.backup(server, self._backup("redis", in_folder=in_folder)),
        ]
        return lines, scraped

    async def _postgres(self) -> tuple[list[Line], Sequence[str]]:
        if self.database is None:
            return [], ()
        try:
            async with asyncio.timeout(PATIENCE):
                facts = await self.database.run(health.facts, max_wait=CONNECT_WAIT)
                mode = await health.pooler(self.database)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what this line says
            known = isinstance(error, HoldfastError | TimeoutError)
            why = str(error) if known else health.why(error)
            embedded = self.settings.database_url is None
            return [_away("postgresql", self.database_url, why, embedded=embedded)], ()
        lines = [
            postgres_checks.answers(facts),
            postgres_checks.version(facts),
            postgres_checks.migrations(facts),
            postgres_checks.row_security(facts),
            postgres_checks.synchronous_commit(facts),
            postgres_checks.pooler(mode, self.database_url),
            postgres_checks.connections(facts),
            postgres_checks.encryption(facts, urlsplit(self.database_url).hostname or ""),
            network_checks.latency("postgresql latency", facts.pings),
            network_checks.clock("postgresql clock", facts.skew),
            postgres_checks.backup(facts, self._backup("postgresql", in_folder=self.settings.database_url is None)),
        ]
        return lines, facts.models

    def _disk(self) -> list[Line]:
        if not self.embedded or not self.settings.home.exists():
            return []  # the disks of other machines are not ours to see
        usage = shutil.disk_usage(self.settings.home)
        return [upkeep_checks.disk(usage.free, usage.total, str(self.settings.home))]

    def _backup(self, of: str, *, in_folder: bool) -> BackupFacts:
        return BackupFacts(
            stamped=stamp(self.settings.backup_stamp, of=of),
            most=timedelta(hours=self.settings.backup_hours),
            stamps=str(self.settings.backup_stamp or STAMPS),
            home=str(self.settings.home) if in_folder else None,
        )


async def examined(settings: Settings) -> Report:
    """Look at the deployment the settings describe; embedded servers are attached to, or started for the time."""
    async with AsyncExitStack() as stack:
        servers, broken = await _embedded(settings, stack)
        queue = await _opened_queue(settings, servers, broken, stack)
        database_url = settings.database_url or (servers.database_url if servers else None)
        database = await _opened_database(database_url, broken, stack)
        if database is not None and settings.database_url is None:
            # As every other command does on our own servers; somebody else's database is only looked at.
            await database.migrate()
        doctor = Doctor(
            settings=settings,
            queue=queue,
            database=database,
            database_url=database_url or "",
            embedded=servers is not None,
            broken=tuple(broken),
        )
        return await doctor.examine()


async def _embedded(settings: Settings, stack: AsyncExitStack) -> tuple[Servers | None, list[Line]]:
    wanted: dict[Name, bool] = {"redis": settings.redis_url is None, "postgresql": settings.database_url is None}
    if not any(wanted.values()):
        return None, []
    opens = partial(open_servers, settings.home, redis=wanted["redis"], postgres=wanted["postgresql"])
    try:
        return await stack.enter_async_context(opened(opens)), []
    except (EmbeddedError, NotConfigured) as error:
        fix = f"ls '{settings.home}'/*/*.log  # or set REDIS_URL and DATABASE_URL to servers of your own"
        return None, [fail(name, str(error), fix) for name, is_wanted in wanted.items() if is_wanted]


async def _opened_queue(
    settings: Settings, servers: Servers | None, broken: list[Line], stack: AsyncExitStack
) -> Queue | None:
    url = settings.redis_url or (servers.redis_url if servers else None)
    if url is None:
        return None
    try:
        queue = Queue(QUEUE, url=url, prefix=settings.queue_prefix, max_wait=CONNECT_WAIT)
    except HoldfastError as error:
        broken.append(fail("redis", str(error), "REDIS_URL=redis://:<password>@host:6379/0"))
        return None
    return await stack.enter_async_context(queue)


async def _opened_database(url: str | None, broken: list[Line], stack: AsyncExitStack) -> Database | None:
    if url is None:
        return None
    try:
        database = Database(url, max_wait=CONNECT_WAIT)
    except HoldfastError as error:
        broken.append(fail("postgresql", str(error), "DATABASE_URL=postgresql://user:<password>@host:5432/database"))
        return None
    stack.push_async_callback(database.close)
    return database


def _away(name: Name, url: str, why: str, *, embedded: bool) -> Line:
    where = _place(url)
    host, port = urlsplit(where).hostname or "localhost", _port(where)
    if embedded:
        fix = 'ls "$HOLDFAST_HOME"/*/*.log  # its last words; `holdfast serve` starts it again'
    elif name == "redis":
        fix = f"redis-cli -h {host} -p {port or 6379} ping  # start it, or mend REDIS_URL"
    else:
        fix = f"pg_isready -h {host} -p {port or 5432}  # start it, or mend DATABASE_URL"
    why = why or f"no answer within {PATIENCE:g} s"
    return fail(name, f"{where}: {why}; the other lines about it are left out", fix)


def _place(url: str) -> str:
    """An address without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _port(where: str) -> int | None:
    try:
        return urlsplit(where).port
    except ValueError:  # several hosts
        return None


def _unfit_fix(error: UnfitServer, queue: Queue) -> str:
    match error.reason:
        case "no_hash_tag":
            return f"HOLDFAST_QUEUE_PREFIX='{{{queue.prefix}}}'  # in every process that uses this queue"
        case "sentinel":
            return "REDIS_URL=redis+sentinel://:<password>@host:26379/<name of the service>"
        case "too_old":
            return "redis-server --version  # upgrade it to 6.2 or newer, or to Valkey"
