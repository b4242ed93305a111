"""Opens what the settings name, as far as it can be opened, and has it examined."""

from contextlib import AsyncExitStack, suppress
from functools import partial

from holdfast.doctor.examination import CONNECT_WAIT, Doctor
from holdfast.doctor.lines import Line, Name, Report, fail
from holdfast.embedded import Servers, open_servers
from holdfast.errors import EmbeddedError, HoldfastError, NotConfigured
from holdfast.queue import Queue
from holdfast.service import QUEUE, opened
from holdfast.settings import Settings
from holdfast.store import Database


async def examined(settings: Settings) -> Report:
    """Look at the deployment the settings describe; embedded servers are attached to, or started for the time."""
    async with AsyncExitStack() as stack:
        servers, broken = await _embedded(settings, stack)
        queue = await _opened_queue(settings, servers, broken, stack)
        database_url = settings.database_url or (servers.database_url if servers else None)
        database = await _opened_database(database_url, broken, stack)
        if database is not None and settings.database_url is None:
            # As every other command does on our own servers; somebody else's database is only looked at.
            with suppress(HoldfastError):  # then its lines say what is wrong
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
