"""The story: start, kill a worker, let the other take over, kill Redis, go on to the end."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from importlib.resources import as_file, files
from uuid import UUID

from holdfast.demo.audit import Kill, Report, audit
from holdfast.demo.stage import Stage
from holdfast.drill import Program, Sampler
from holdfast.errors import HoldfastError
from holdfast.service import MIN_ANSWERS, FileToImport, GenerationConfig, GenerationRequest, InHand, Status

ANSWERS = "answers.csv"
CLUSTERS = 24  # labels enough for two kills to hit some
LABELLED_FIRST = 3  # clusters that are done before anything is killed
LEAST_LEFT = 3  # clusters that must be left for Redis to be killed over them
LIMIT = 180.0  # seconds; after that something hangs

Tell = Callable[[str], None]


async def play(stage: Stage, tell: Tell) -> Report:
    """Play it and account for everything. Raises HoldfastError when it could not be played."""
    try:
        async with asyncio.timeout(LIMIT):
            return await _Play(stage, tell).to_the_end()
    except TimeoutError as error:
        raise HoldfastError(f"the demo did not end within {LIMIT:.0f} s") from error


class _Play:
    def __init__(self, stage: Stage, tell: Tell) -> None:
        self._stage = stage
        self._service = stage.service
        self._tell = tell
        self._kills: list[Kill] = []

    async def to_the_end(self) -> Report:
        pids = [self._stage.start_worker().pid for _ in range(2)]
        self._tell(f"worker {pids[0]} and worker {pids[1]} started, each a process of its own")
        generation_id = await self._begin()
        sampler = Sampler(lambda: self._service.generations.status(generation_id), check=self._stage.workers.check)
        async with asyncio.TaskGroup() as group:
            group.create_task(sampler.run())
            await self._story(sampler, generation_id)
        assert sampler.latest is not None
        self._tell(f"{sampler.latest.status}: {_clusters(sampler.latest)}")
        if sampler.latest.error:
            raise HoldfastError(f"the generation {sampler.latest.status}: {sampler.latest.error.get('message')}")
        return await audit(self._service, sampler.latest, sampler, self._kills)

    async def _begin(self) -> UUID:
        with as_file(files(__package__) / ANSWERS) as path:
            file = FileToImport(path=path, text_column="answer", id_column="id", name=ANSWERS)
            category, done = await self._service.imports.import_as_category(file, at_least=MIN_ANSWERS)
        self._tell(f"{done.n_added:,} real answers imported (NHS Friends and Family Test)")
        request = GenerationRequest(category_id=category.id, config=GenerationConfig(n_clusters=CLUSTERS))
        created = await self._service.generations.start(request)
        self._tell(f"generation {created.generation.id} started")
        return created.generation.id

    async def _story(self, sampler: Sampler[Status], generation_id: UUID) -> None:
        if await sampler.until(lambda status: status.n_clusters > 0):
            assert sampler.latest is not None
            self._tell(f"answers embedded and clustered: {sampler.latest.n_clusters} clusters to label")
        if not await sampler.until(lambda status: status.n_completed >= LABELLED_FIRST):
            return
        orphans = await self._kill_a_worker(sampler, generation_id)
        await self._takeover(sampler, generation_id, orphans)
        if await self._kill_redis(sampler, generation_id):
            await sampler.until(lambda status: status.ended)

    async def _kill_a_worker(self, sampler: Sampler[Status], generation_id: UUID) -> list[InHand]:
        """SIGKILL one that is in the middle of a call; frozen first, so that the call cannot slip away meanwhile."""
        while not sampler.ended:
            owners = {worker.id: worker.pid for worker in await self._service.queue.workers()}
            for held in await self._labels_in_hand(generation_id):
                victim = self._stage.workers.with_pid(owners.get(_worker_id(held), 0))
                if victim is None or not held.in_call:
                    continue
                if orphans := await self._kill_in_call(victim, _worker_id(held), generation_id):
                    return orphans
            await sampler.next()
        return []

    async def _kill_in_call(self, victim: Program, worker_id: str, generation_id: UUID) -> list[InHand]:
        victim.freeze()
        orphans = [held for held in await self._labels_in_hand(generation_id) if _worker_id(held) == worker_id]
        if not any(held.in_call for held in orphans):
            victim.thaw()
            return []
        victim.kill()
        status = await self._service.generations.status(generation_id)
        self._kills.append(Kill(what="worker", labels_pending=status.n_pending, in_hands=len(orphans)))
        self._tell(
            f"worker {victim.pid} killed (SIGKILL) with {_labels(len(orphans))} in its hands; {_clusters(status)}"
        )
        return orphans

    async def _takeover(self, sampler: Sampler[Status], generation_id: UUID, orphans: list[InHand]) -> None:
        """Wait until another worker has the labels, or so few are left that Redis must be killed now."""
        began = time.monotonic()
        while not sampler.ended:
            held = {label.unit_id: label.worker for label in await self._labels_in_hand(generation_id)}
            if not any(held.get(orphan.unit_id) == orphan.worker for orphan in orphans):
                seconds = time.monotonic() - began
                survivor = self._stage.workers.alive[0].pid
                self._tell(
                    f"worker {survivor} took over the {_labels(len(orphans))} of the dead one after {seconds:.1f} s"
                )
                return
            if (await sampler.next()).n_pending <= LEAST_LEFT:
                return

    async def _kill_redis(self, sampler: Sampler[Status], generation_id: UUID) -> bool:
        before = sum((await self._service.queue.counts()).values())
        while not (under_way := len(await self._labels_in_hand(generation_id))):
            if (await sampler.next()).ended:  # on a slow machine the workers may be between two labels, again and again
                return False
        status = await self._service.generations.status(generation_id)
        if status.ended:
            return False
        pid, began = self._stage.redis_pid, time.monotonic()
        os.kill(pid, signal.SIGKILL)
        self._kills.append(Kill(what="redis-server", labels_pending=status.n_pending, in_hands=under_way))
        self._tell(f"redis-server {pid} killed (SIGKILL) with {_labels(under_way)} under way; {_clusters(status)}")
        await self._redis_back(sampler, pid, before, began)
        await self._resumed(sampler, status.n_completed + under_way)
        return True

    async def _redis_back(self, sampler: Sampler[Status], old_pid: int, jobs_before: int, began: float) -> None:
        """Wait until another redis-server answers, with what the old one knew."""
        await sampler.until(lambda _status: self._stage.redis_pid != old_pid)
        await self._service.queue.ping()
        seconds = time.monotonic() - began
        jobs = sum((await self._service.queue.counts()).values())
        as_before = f"{jobs} jobs as before" if jobs == jobs_before else f"{jobs} jobs, {jobs_before} before"
        self._tell(
            f"redis-server {self._stage.redis_pid} is back after {seconds:.1f} s on the same folder, {as_before}"
        )

    async def _resumed(self, sampler: Sampler[Status], known: int) -> None:
        """Wait until more is done than what was under way at the kill: that took a job from the new Redis."""
        if not await sampler.until(lambda status: status.n_completed > known):
            return
        for worker in self._stage.workers.alive:
            tries = len(worker.events("retrying connection"))
            for back in worker.events("redis reconnected")[-1:]:
                lost = f"redis connection lost, retrying connection x {tries}"
                self._tell(f"worker {worker.pid}: {lost}, redis reconnected after {back['after']:.1f} s")
        assert sampler.latest is not None
        self._tell(f"resumed: {_clusters(sampler.latest)}")

    async def _labels_in_hand(self, generation_id: UUID) -> list[InHand]:
        return [held for held in await self._service.generations.in_hand(generation_id) if held.stage == "label"]


def _worker_id(held: InHand) -> str:
    return held.worker.partition(":")[0]


def _labels(number: int) -> str:
    return "1 label" if number == 1 else f"{number} labels"


def _clusters(status: Status) -> str:
    return f"{status.n_completed} of {status.n_clusters} clusters done"
