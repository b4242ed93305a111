"""One PostgreSQL: transactions that survive its restarts, and its migrations."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from time import monotonic
from typing import TypeAlias, TypeVar

import asyncpg
import structlog
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from holdfast.errors import NotConfigured, Unavailable
from holdfast.store.migrations import upgrade

T = TypeVar("T")
Connection: TypeAlias = AsyncConnection  # of a transaction that `Database.run` opened

log = structlog.get_logger("holdfast.store")

# SQLSTATE classes and codes after which the same transaction may be tried again (PostgreSQL manual, appendix A):
# 08 connection, 40 rollback (serialization, deadlock), 53 resources, 57P shutdown and start-up, 58 system error.
TRANSIENT_PREFIXES = ("08", "40", "53", "57P", "58")

CONNECT_TIMEOUT = 5.0  # seconds; a peer that accepts and says nothing is taken for away
COMMAND_TIMEOUT = 120.0  # seconds one statement may take; a server that stands still is taken for away then

# COPY goes past SQLAlchemy to the driver, and so do its errors.
COPY_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError)

# A key of our own for pg_advisory_xact_lock: one process migrates, the others wait.
MIGRATION_LOCK = 0x686F6C64


class Database:
    """A pool of connections to one PostgreSQL; every use is one transaction.

    `max_wait`: seconds a caller waits for a server that is away, None for ever (workers: a paid reply
    has to be stored).
    """

    def __init__(self, url: str, *, pool_size: int = 10, max_wait: float | None = 5.0) -> None:
        self._url = _asyncpg_url(url)
        self.max_wait = max_wait
        self._engine = create_async_engine(
            self._url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=CONNECT_TIMEOUT,
            hide_parameters=True,  # an error's text must not show answers
            connect_args=_connect_args(self._url),
        )
        self._committing = self._engine.execution_options(isolation_level="AUTOCOMMIT")  # on the same connections

    async def run(
        self, work: Callable[[AsyncConnection], Awaitable[T]], *, repeat: bool = True, max_wait: float | None = -1.0
    ) -> T:
        """Run `work` in one transaction and commit it.

        It is run again when the server went away or rolled it back, also when the outcome of its commit is unknown:
        `work` must be idempotent, or be given with `repeat=False`. Raises Unavailable after `max_wait` seconds.
        """
        bound = self.max_wait if max_wait is not None and max_wait < 0 else max_wait
        return await self._patiently(self._engine.begin, work, repeat=repeat, bound=bound)

    async def each(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """As `run`, but each statement of `work` is a transaction of its own: a third of the round trips for one.

        For work that is right whatever others commit between its statements, and when only its first ones happen.
        """
        return await self._patiently(self._committing.connect, work, repeat=True, bound=self.max_wait)

    async def _patiently(
        self,
        connect: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
        work: Callable[[AsyncConnection], Awaitable[T]],
        *,
        repeat: bool,
        bound: float | None,
    ) -> T:
        began, attempt = monotonic(), 0
        while True:
            connected = False
            try:
                async with connect() as connection:
                    connected = True
                    return await work(connection)
            except (SQLAlchemyError, *COPY_ERRORS, OSError, TimeoutError) as error:
                attempt += 1
                delay = min(0.05 * attempt, 2.0)
                if not _is_transient(error, connected=connected):
                    raise
                if not repeat or (bound is not None and monotonic() - began + delay > bound):
                    raise Unavailable("PostgreSQL does not answer; nothing was changed, try again") from error
                if attempt == 1:
                    log.warning("database connection lost", error=type(error).__name__)
                await asyncio.sleep(delay)

    async def migrate(self) -> None:
        """Bring the schema to the newest migration; safe to call from many processes at once."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.run_sync(upgrade)

        await self.run(work, max_wait=30.0)

    async def ping(self) -> None:
        """Raises Unavailable if the server does not answer."""
        await self.run(lambda connection: connection.execute(text("SELECT 1")), max_wait=2.0)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def _asyncpg_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except SQLAlchemyError as error:
        raise NotConfigured("DATABASE_URL is not a URL; write postgresql://user:password@host:5432/database") from error
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise NotConfigured(f"DATABASE_URL must name a PostgreSQL (postgresql://…), not {parsed.get_backend_name()}")
    return parsed.set(drivername="postgresql+asyncpg")


def _connect_args(url: URL) -> dict[str, object]:
    # A transaction pooler (Supabase's listens on 6543) gives each transaction another backend: no prepared statements.
    pooled = url.port == 6543 or "pgbouncer" in url.query
    cache: dict[str, object] = {"statement_cache_size": 0, "prepared_statement_cache_size": 0} if pooled else {}
    return {
        "timeout": CONNECT_TIMEOUT,
        "command_timeout": COMMAND_TIMEOUT,
        "server_settings": {"application_name": "holdfast"},
    } | cache


def _is_transient(error: BaseException, *, connected: bool) -> bool:
    if isinstance(error, PoolTimeout | ConnectionError | TimeoutError):
        return True
    if isinstance(error, OSError):
        return not connected  # later it is the work's own: a full disk, a file that cannot be written
    if isinstance(error, asyncpg.InterfaceError):
        return "closed" in str(error)
    state = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    return bool(getattr(error, "connection_invalidated", False)) or state.startswith(TRANSIENT_PREFIXES)
