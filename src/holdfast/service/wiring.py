"""The one place that builds things and ties them together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from holdfast import faultpoints
from holdfast.embedded import Servers, open_servers
from holdfast.errors import NotConfigured
from holdfast.queue import Queue, Worker
from holdfast.service.asking import Asking
from holdfast.service.assigned import AssignedAnswers
from holdfast.service.batching import Batching
from holdfast.service.coding import Coding
from holdfast.service.coding_work import CodingWork
from holdfast.service.confirming import Confirmations
from holdfast.service.costs import Costs
from holdfast.service.doubting import Doubts
from holdfast.service.embedders import Embedders
from holdfast.service.embedding_work import EmbeddingWork
from holdfast.service.enqueueing import QUEUE
from holdfast.service.estimates import Estimates
from holdfast.service.generations import Generations
from holdfast.service.importing import Imports
from holdfast.service.labelling import Labelling
from holdfast.service.metrics import Metrics
from holdfast.service.models import Models, prices_of
from holdfast.service.processors import Processors
from holdfast.service.reconciler import Reconciler
from holdfast.service.scraping import Scrapes
from holdfast.service.servers import opened
from holdfast.service.steering import Steering
from holdfast.service.suggesting import Suggesting
from holdfast.service.tables import Tables
from holdfast.service.tracing import opened_traces
from holdfast.service.watching import Watch
from holdfast.service.whole_work import WholeWork
from holdfast.service.work import StageWork
from holdfast.settings import Settings
from holdfast.store import Caps, Database

DRAIN = 10.0  # seconds a stopping worker waits for paid calls whose attempt was cancelled


@dataclass(frozen=True, kw_only=True)
class Service:
    """Everything the outer rooms use."""

    settings: Settings
    servers: Servers | None  # the embedded ones, None when both URLs were given
    redis_url: str
    database_url: str
    database: Database
    queue: Queue
    generations: Generations
    steering: Steering
    costs: Costs
    estimates: Estimates
    imports: Imports
    tables: Tables
    confirmations: Confirmations
    assigned: AssignedAnswers
    suggesting: Suggesting
    scrapes: Scrapes
    watch: Watch

    async def run_reconciler(self, stopping: asyncio.Event) -> None:
        """Give what is owed a job, and say which calls nobody answers for, every few seconds, until `stopping`."""
        reconciler = Reconciler(
            self.database, self.queue, every=self.settings.reconcile_seconds, metrics=self.watch.metrics
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(reconciler.run(stopping))
            group.create_task(Doubts(self.database, self.queue).run(stopping))

    async def run_worker(self, stopping: asyncio.Event | None = None) -> None:
        """Work until `stopping` (without it: SIGTERM or SIGINT); what is running then is finished or given back."""
        # A worker waits for the database as long as it takes: a reply that was paid for has to be stored.
        database = Database(self.database_url, pool_size=self.settings.concurrency + 2, max_wait=None)
        try:
            await self._work(database, stopping)
        finally:
            await database.close()

    async def _living(self) -> frozenset[str]:
        return frozenset(worker.id for worker in await self.queue.workers())

    async def _work(self, database: Database, stopping: asyncio.Event | None) -> None:
        models = Models(self.settings, self.queue)
        sweep_every = 5 * self.settings.reconcile_seconds
        batching = Batching(database, models, caps=caps_of(self.settings), living=self._living, sweep_every=sweep_every)
        processors = Processors(database, self.queue, self._stage_work(database, models, batching))
        worker = Worker(
            self.queue,
            processors.by_name(),
            concurrency=self.settings.concurrency,
            lock_duration=self.settings.lock_seconds,
            signals=stopping is None,
            around=self.watch.around(self.queue),
        )

        async def stop_worker() -> None:
            if stopping is not None:
                await stopping.wait()
                await worker.stop()

        async with asyncio.TaskGroup() as group:
            reconciling = asyncio.Event()
            group.create_task(self.run_reconciler(reconciling))
            group.create_task(batching.sweep_for_ever(reconciling))
            stopper = group.create_task(stop_worker())
            try:
                await worker.run()
            finally:
                reconciling.set()
                stopper.cancel()
                models.stop()
                await processors.drain(within=DRAIN)
                await models.close()

    def _stage_work(self, database: Database, models: Models, batching: Batching) -> StageWork:
        asking = Asking(database, models, caps=caps_of(self.settings))
        labelling = Labelling(asking, pace=self.settings.label_pace)
        coding = CodingWork(database, Coding(asking), batching)
        embedding = EmbeddingWork(_embedders(self.settings), asking, models)
        return StageWork(database, embedding, labelling, coding, WholeWork(database, asking), batching)


def _embedders(settings: Settings) -> Embedders:
    return Embedders(models=settings.models, cache=settings.cache / "models", first=settings.embedder)


def caps_of(settings: Settings) -> Caps:
    """The settings' limits on what calls may cost."""
    return Caps(call=settings.max_call_usd, key_month=settings.max_key_month_usd, month=settings.max_month_usd)


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[Service]:
    """Start or attach to the servers, migrate the database, and build the service.

    Raises NotConfigured for settings that cannot work, EmbeddedError, Unavailable.
    """
    arm(settings)
    async with AsyncExitStack() as stack:
        servers = await _servers(settings, stack)
        redis_url = settings.redis_url or _url(servers.redis_url if servers else None)
        database_url = settings.database_url or _url(servers.database_url if servers else None)
        database = Database(database_url)
        stack.push_async_callback(database.close)
        await database.migrate()
        estimates = Estimates(
            database, prices_of(settings), embedder=settings.embedder, most=settings.max_generation_usd
        )
        queue = await stack.enter_async_context(Queue(QUEUE, url=redis_url, prefix=settings.queue_prefix))
        watch = _watch(settings, queue, stack)
        yield Service(
            settings=settings,
            servers=servers,
            redis_url=redis_url,
            database_url=database_url,
            database=database,
            queue=queue,
            generations=Generations(database, queue, estimates, requests_per_minute=settings.requests_per_minute),
            steering=Steering(database, queue, most=settings.max_generation_usd),
            costs=Costs(database),
            estimates=estimates,
            imports=Imports(database),
            tables=Tables(database),
            confirmations=Confirmations(database),
            assigned=AssignedAnswers(database),
            suggesting=Suggesting(database, _embedders(settings)),
            scrapes=Scrapes(watch.metrics, database, queue, caps_of(settings)),
            watch=watch,
        )


def _watch(settings: Settings, queue: Queue, stack: AsyncExitStack) -> Watch:
    metrics = Metrics()
    stack.enter_context(metrics.queue.listen(queue))
    traces = stack.enter_context(opened_traces(settings))
    if traces is not None:
        traces.follow(queue)
    return Watch(metrics=metrics, traces=traces)


def arm(settings: Settings) -> None:
    """Arm the fault points of the settings. Raises NotConfigured for an unknown one."""
    try:
        faultpoints.arm(settings.fault)
    except ValueError as error:
        raise NotConfigured(f"HOLDFAST_FAULT: {error}") from error


async def _servers(settings: Settings, stack: AsyncExitStack) -> Servers | None:
    need_redis, need_postgres = settings.redis_url is None, settings.database_url is None
    if not (need_redis or need_postgres):
        return None
    opens = partial(open_servers, settings.home, redis=need_redis, postgres=need_postgres)
    return await stack.enter_async_context(opened(opens))


def _url(url: str | None) -> str:
    if url is None:
        raise NotConfigured("the embedded servers have no address; set REDIS_URL and DATABASE_URL")
    return url
