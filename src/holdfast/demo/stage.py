"""Where the demo plays: a data folder of its own, real servers on it, two worker processes."""

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from holdfast.demo.workers import Workers
from holdfast.embedded import open_servers
from holdfast.errors import HoldfastError
from holdfast.service import Service, open_service
from holdfast.settings import Settings

LABEL_SECONDS = 0.6  # what one label takes; a provider takes longer
CONCURRENCY = 2  # labels one worker has in its hands
RUNS = "demo"  # below the data folder
LEFT_BEHIND = 600.0  # seconds after which the folder of a demo that was killed is cleared away


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that runs."""

    folder: Path
    service: Service
    workers: Workers

    @property
    def redis_pid(self) -> int:
        """The process id of redis-server; another one once it was started again."""
        pid = self.service.servers.redis_pid if self.service.servers else None
        if pid is None:
            raise HoldfastError("the demo's own Redis is not running")
        return pid


@asynccontextmanager
async def open_stage(settings: Settings, *, keep: bool) -> AsyncIterator[Stage]:
    """Start servers of the demo's own, whatever REDIS_URL and DATABASE_URL say; everything is stopped at the end."""
    runs = settings.home / RUNS
    await asyncio.to_thread(clear_away, runs, older_than=LEFT_BEHIND)
    with _own_folder(runs, keep=keep) as folder:
        own = {"home": folder, "redis_url_given": None, "redis_host": None, "database_url": None, "host": "127.0.0.1"}
        async with open_service(settings.model_copy(update=own)) as service:
            workers = Workers(folder, _environment(service), concurrency=CONCURRENCY)
            try:
                yield Stage(folder=folder, service=service, workers=workers)
            finally:
                await workers.stop()


def _environment(service: Service) -> dict[str, str]:
    return {
        "REDIS_URL": service.redis_url,
        "DATABASE_URL": service.database_url,
        "HOLDFAST_HOME": str(service.settings.home),
        "HOLDFAST_CACHE": str(service.settings.cache),
        "HOLDFAST_LABEL_PACE": str(LABEL_SECONDS),
        "HOLDFAST_LOG": "json",
        "HOLDFAST_FAULT": "",
    }


@contextmanager
def _own_folder(runs: Path, *, keep: bool) -> Iterator[Path]:
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=runs))
    except OSError as error:
        raise HoldfastError(
            f"the data folder {runs} cannot be used ({error.strerror}); set HOLDFAST_HOME to another folder"
        ) from error
    try:
        yield folder
    finally:
        if keep:
            (folder / "kept").touch()
        else:
            shutil.rmtree(folder, ignore_errors=True)


def clear_away(runs: Path, *, older_than: float) -> None:
    """Stop and remove what demos left behind that were killed themselves, once that is `older_than` seconds ago.

    The bound keeps a demo safe that made its folder and does not own its servers yet.
    """
    for folder in runs.glob("run-*"):
        with contextlib.suppress(OSError, HoldfastError):
            if time.time() - folder.stat().st_mtime < older_than or (folder / "kept").exists():
                continue
            with open_servers(folder) as servers:  # attaches if that demo is alive, adopts its servers if not
                is_dead = servers.owned
            if is_dead:
                shutil.rmtree(folder, ignore_errors=True)
