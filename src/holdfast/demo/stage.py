"""Where the demo plays: a data folder of its own, real servers on it, two worker processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from holdfast.drill import Program, Programs, clear_away, environment_of, own_folder
from holdfast.errors import HoldfastError
from holdfast.service import Service, open_service
from holdfast.settings import Settings

LABEL_SECONDS = 0.6  # what one label takes; a provider takes longer
CONCURRENCY = 2  # labels one worker has in its hands
RUNS = "demo"  # below the data folder


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that runs."""

    folder: Path
    service: Service
    workers: Programs

    @property
    def redis_pid(self) -> int:
        """The process id of redis-server; another one once it was started again."""
        pid = self.service.servers.redis_pid if self.service.servers else None
        if pid is None:
            raise HoldfastError("the demo's own Redis is not running")
        return pid

    def start_worker(self) -> Program:
        """Start one more worker."""
        return self.workers.start("worker", f"--concurrency={CONCURRENCY}")


@asynccontextmanager
async def open_stage(settings: Settings, *, keep: bool) -> AsyncIterator[Stage]:
    """Start servers of the demo's own, whatever REDIS_URL and DATABASE_URL say; everything is stopped at the end."""
    runs = settings.home / RUNS
    await asyncio.to_thread(clear_away, runs)
    with own_folder(runs, keep=keep) as folder:
        own = {"home": folder, "redis_url_given": None, "redis_host": None, "database_url": None, "host": "127.0.0.1"}
        async with open_service(settings.model_copy(update=own)) as service:
            environment = environment_of(service) | {"HOLDFAST_LABEL_PACE": str(LABEL_SECONDS)}
            workers = Programs(folder, environment)
            try:
                yield Stage(folder=folder, service=service, workers=workers)
            finally:
                await workers.stop()
