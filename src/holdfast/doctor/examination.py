"""Gathers the facts, each server's within bounded time, and has them judged."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from holdfast import __version__
from holdfast.doctor import network_checks, postgres_checks, redis_checks, upkeep_checks
from holdfast.doctor.lines import Line, Name, Report, fail, ok
from holdfast.doctor.models import model_facts
from holdfast.doctor.places import PATIENCE, Refused, away, place, unfit_fix, with_address
from holdfast.doctor.stamps import STAMPS, BackupFacts, stamp
from holdfast.errors import HoldfastError, UnfitServer
from holdfast.queue import Queue
from holdfast.service import last_scrape
from holdfast.settings import Settings
from holdfast.store import Database, health

CONNECT_WAIT = 2.0  # seconds a server may be away before that is what is said

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
        # One server's questions at a time: they are this process' own work, which would be in the other's latency.
        quiet = asyncio.Lock()
        (redis, scraped), (postgres, models) = await asyncio.gather(self._redis(quiet), self._postgres(quiet))
        facts = await asyncio.to_thread(model_facts, self.settings, models)  # a provider's SDK takes a second to import
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

    async def _redis(self, quiet: asyncio.Lock) -> tuple[list[Line], timedelta | None]:
        queue = self.queue
        if queue is None:
            return [], None
        try:
            async with asyncio.timeout(PATIENCE):
                await queue.ping()
            async with quiet, asyncio.timeout(PATIENCE):
                link = await queue.link_facts()  # alone, or its pings would wait for the other questions
                server, growth = await asyncio.gather(queue.server_facts(), queue.growth())
                at = await last_scrape(queue)
                scraped = None if at is None else datetime.now(UTC) - at
        except UnfitServer as error:
            return [fail(_UNFIT[error.reason], str(error), unfit_fix(error, queue))], None
        except (HoldfastError, TimeoutError) as error:
            # The link keeps no more of its last error than the words; this one is redis-py's name for all refusals.
            refused: Refused = "credentials" if "AuthenticationError" in str(error) else None
            home = self._home(self.settings.redis_url)
            return [away("redis", queue.url, str(error), home=home, refused=refused)], None
        in_folder = self.settings.redis_url is None
        lines = [
            ok("redis", f"answers at {place(queue.url)}"),
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
        by_variable = self.settings.redis_url_given is not None
        return [with_address(line, queue.url, by_variable=by_variable) for line in lines], scraped

    async def _postgres(self, quiet: asyncio.Lock) -> tuple[list[Line], Sequence[str]]:
        if self.database is None:
            return [], ()
        try:
            async with asyncio.timeout(PATIENCE):
                await self.database.ping()
            async with quiet, asyncio.timeout(PATIENCE):
                facts = await self.database.run(health.facts, max_wait=CONNECT_WAIT)
                mode = await health.pooler(self.database)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what this line says
            why = "" if isinstance(error, TimeoutError) else health.why(error)
            home = self._home(self.settings.database_url)
            line = away("postgresql", self.database_url, why, home=home, refused=health.refused(error))
            return [line], ()
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

    def _home(self, url: str | None) -> Path | None:
        return self.settings.home if url is None else None

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
