"""From a job to its unit: is it still owed, do it, commit it, and put what follows into the queue."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import structlog

from holdfast import faultpoints
from holdfast.errors import BadInput, NotConfigured, NotFound, StepError, Unrecoverable
from holdfast.queue import Job, Queue
from holdfast.service.enqueueing import enqueue
from holdfast.service.stages import ASSEMBLE, CLUSTER, EMBED, LABEL, PREPARE, planner
from holdfast.service.work import StageWork, Work
from holdfast.store import Database, units
from holdfast.store.units import GivenUp, OwedUnit, UnitRef

StageFunction: TypeAlias = Callable[[OwedUnit, str], Awaitable[Work]]

# No retry cures these.
HOPELESS = (BadInput, NotConfigured, NotFound, StepError, Unrecoverable)

log = structlog.get_logger("holdfast.service")


class Processors:
    """One processor for every stage's jobs."""

    def __init__(self, database: Database, queue: Queue, work: StageWork) -> None:
        self._database = database
        self._queue = queue
        self._stages: Mapping[str, StageFunction] = {
            PREPARE: work.prepare,
            EMBED: work.embed,
            CLUSTER: work.cluster,
            LABEL: work.label,
            ASSEMBLE: work.assemble,
        }

    def by_name(self) -> dict[str, Callable[[Job], Awaitable[Any]]]:
        """What a Worker wants: a processor for each job name."""
        return dict.fromkeys(self._stages, self.run)

    async def run(self, job: Job) -> dict[str, Any]:
        """Do the job's unit if it is still owed. Raises what the stage raised; if it was the last try, why is kept."""
        faultpoints.reach("job taken")
        worker = job.token or ""
        unit_id = int(job.data["unit"])
        unit = await self._database.run(lambda connection: units.start(connection, unit_id, worker=worker))
        if unit is None:
            return {"unit": unit_id, "skipped": "not owed"}
        try:
            work = await self._stages[unit.ref.stage](unit, worker)
        except Exception as error:
            hopeless = isinstance(error, HOPELESS)
            attempt = job.attempts_made + 1
            if hopeless or attempt >= job.attempts:
                await self._give_up(unit.ref, error, attempt)
            if hopeless and not isinstance(error, Unrecoverable):
                raise Unrecoverable(str(error)) from error
            raise
        faultpoints.reach("unit computed")
        await self._commit(unit.ref, work)
        return {"unit": unit_id}

    async def _commit(self, ref: UnitRef, work: Work) -> None:
        plan = planner(work.following)
        following = await self._database.run(
            lambda connection: units.finish(connection, ref, work.done, plan=plan, write=work.write)
        )
        faultpoints.reach("unit done")
        if following:
            await enqueue(self._queue, following)

    async def _give_up(self, ref: UnitRef, error: Exception, attempt: int) -> None:
        log.error("unit failed", stage=ref.stage, ordinal=ref.ordinal, error=type(error).__name__)
        end = GivenUp(code=type(error).__name__, message=str(error)[:2000], attempt=attempt)
        await give_up(self._database, self._queue, ref, end)


async def give_up(database: Database, queue: Queue, ref: UnitRef, end: GivenUp) -> None:
    """End a unit that failed for good, and go on with what the others allow."""
    following = await database.run(lambda connection: units.finish(connection, ref, end, plan=planner()))
    await enqueue(queue, following or ())
