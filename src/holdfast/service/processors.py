"""From a job to its unit: is it still owed, do it, commit it, and put what follows into the queue."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import structlog

from holdfast import faultpoints
from holdfast.errors import (
    BadInput,
    BadReply,
    BudgetUsedUp,
    Conflict,
    HoldfastError,
    NotConfigured,
    NotFound,
    Postponed,
    ProviderAuth,
    ProviderBusy,
    ProviderQuota,
    ProviderRejected,
    StepError,
    StepHeld,
    StepNotWanted,
    Unrecoverable,
)
from holdfast.queue import Job, Queue
from holdfast.service.claims import Claims
from holdfast.service.enqueueing import ATTEMPTS, enqueue
from holdfast.service.frames import Work
from holdfast.service.stages import ASSEMBLE, BATCH, CLUSTER, CODE, DRAFT, EMBED, LABEL, PREPARE, REVIEW, WHOLE, planner
from holdfast.service.work import StageWork
from holdfast.store import Database, steering, units
from holdfast.store.units import GivenUp, OwedUnit, UnitRef

StageFunction: TypeAlias = Callable[[OwedUnit, str], Awaitable[Work]]

# No retry cures these.
HOPELESS = (BadInput, NotFound, ProviderAuth, ProviderRejected, StepError, Unrecoverable)

# A person, time or money cures these, and until then the unit waits: a worker without a key must not fail what others
# can still pay for.
PUT_OFF = (BudgetUsedUp, NotConfigured, Postponed, ProviderBusy, ProviderQuota, StepHeld, StepNotWanted)

BUSY = 5.0  # seconds until a busy provider that named none is asked again
SOON = 1.0  # seconds until calls under way may have turned out cheaper than what they reserved

log = structlog.get_logger("holdfast.service")


class UnitFailed(HoldfastError):
    """An attempt at a unit failed; another may not."""

    code = "unit_failed"


class UnitHopeless(Unrecoverable):
    """An attempt at a unit failed, and no other would do better."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class Processors:
    """One processor for every stage's jobs."""

    def __init__(self, database: Database, queue: Queue, work: StageWork) -> None:
        self._database = database
        self._queue = queue
        self._claims = Claims(database, queue)
        self._stages: Mapping[str, StageFunction] = {
            PREPARE: work.prepare,
            WHOLE: work.whole,
            EMBED: work.embed,
            CLUSTER: work.cluster,
            BATCH: work.batch,
            LABEL: work.label,
            REVIEW: work.review,
            DRAFT: work.draft,
            CODE: work.code,
            ASSEMBLE: work.assemble,
        }
        self._under_way: set[asyncio.Task[dict[str, Any]]] = set()

    def by_name(self) -> dict[str, Callable[[Job], Awaitable[Any]]]:
        """What a Worker wants: a processor for each job name."""
        return dict.fromkeys(self._stages, self.run)

    async def run(self, job: Job) -> dict[str, Any]:
        """Do the job's unit if it is still owed. Raises what the stage raised; if it was the last try, why is kept.

        An attempt whose lock was lost is cancelled here, but the unit's work goes on in the background: what it pays
        for gets recorded, and the database lets only the first result of a unit count.
        """
        faultpoints.reach("job taken")
        task = asyncio.create_task(self._run(job), name=f"unit of {job.id}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def drain(self, *, within: float) -> None:
        """Wait for the work of cancelled attempts, at most `within` seconds."""
        if self._under_way:
            _, left = await asyncio.wait(self._under_way, timeout=within)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _run(self, job: Job) -> dict[str, Any]:
        worker = job.token or ""
        unit_id = int(job.data["unit"])
        unit = await self._claims.claim(unit_id, worker=worker, taken_over=job.resumed)
        if unit is None:
            return {"unit": unit_id, "skipped": "not owed"}
        try:
            if str(unit.ref.generation_id) != job.data["generation"]:
                # Another database's job, on the same Redis and prefix: its unit has our unit's number by chance.
                await self._claims.release(unit_id, worker=worker)
                return {"unit": unit_id, "skipped": "another database's"}
            work = await self._stages[unit.ref.stage](unit, worker)
            faultpoints.reach("unit computed")
            await self._commit(unit.ref, work)
        except PUT_OFF as reason:
            return await self._put_off(unit, worker, reason)
        except Exception as error:  # noqa: BLE001 - whatever it is, the unit must be given back
            failure = _told(error)
            await self._failed(job, unit.ref, failure)
            # Without its cause: the job's stack trace goes to Redis, where no answer's text may be.
            raise failure from None
        finally:
            self._claims.ended(unit_id)
        return {"unit": unit_id}

    async def _commit(self, ref: UnitRef, work: Work) -> None:
        following = None
        if not await self._is_one_of_many(ref, work):
            plan = planner(work.following)
            finish = partial(units.finish, ref=ref, end=work.done, plan=plan, write=work.write)
            following = await self._database.run(finish)
        faultpoints.reach("unit done")
        if following:
            await enqueue(self._queue, following)

    async def _is_one_of_many(self, ref: UnitRef, work: Work) -> bool:
        """Commit the work if that is all there is to commit: most units' end is the end of no stage."""
        if work.write is not None or work.following:
            return False
        return await self._database.each(partial(units.finish_one_of_many, ref=ref, end=work.done))

    async def _put_off(self, unit: OwedUnit, worker: str, reason: HoldfastError) -> dict[str, Any]:
        """The unit is not done and has not failed: it waits for time, for money or for a person."""
        ref = unit.ref
        match reason:
            case Postponed(delay=delay):
                await self._claims.release(ref.id, worker=worker)
                raise Postponed(delay)
            case ProviderBusy(retry_after=seconds):
                await self._claims.release(ref.id, worker=worker)
                raise Postponed(BUSY if seconds is None else seconds)
            case BudgetUsedUp(may_fit_soon=True):
                await self._claims.release(ref.id, worker=worker)
                raise Postponed(SOON)
            case StepHeld(call_id=call_id):
                log.warning("call in doubt, held", stage=ref.stage, ordinal=ref.ordinal, call=call_id)
                await self._database.run(partial(units.hold, unit_id=ref.id, call_id=UUID(call_id)))
                return {"unit": ref.id, "held": call_id}
            case _:
                pass
        if isinstance(reason, BudgetUsedUp | ProviderQuota | NotConfigured):
            await self._pause(unit, reason)
        await self._claims.release(ref.id, worker=worker)
        return {"unit": ref.id, "skipped": type(reason).__name__}

    async def _pause(self, unit: OwedUnit, reason: HoldfastError) -> None:
        ref = unit.ref
        codes = {BudgetUsedUp: "budget_used_up", ProviderQuota: "provider_quota"}
        code = codes.get(type(reason), "not_configured")
        why = {"code": code, "message": str(reason), "unit": f"{ref.stage}/{ref.ordinal}", "attempt": None}
        with suppress(Conflict, NotFound):  # it has ended or is gone meanwhile
            pause = partial(steering.pause, generation_id=ref.generation_id, why=why, resumes=unit.resumes)
            if await self._database.run(pause):
                log.warning("generation paused", generation=str(ref.generation_id), code=code)

    async def _failed(self, job: Job, ref: UnitRef, failure: UnitFailed | UnitHopeless) -> None:
        attempt = job.attempts_made + 1
        log.warning("unit attempt failed", stage=ref.stage, ordinal=ref.ordinal, attempt=attempt, reason=str(failure))
        if isinstance(failure, UnitHopeless) or attempt >= ATTEMPTS:
            end = GivenUp(code=failure.code, message=str(failure)[:2000], attempt=attempt)
            await give_up(self._database, self._queue, ref, end)
        else:
            await self._claims.release(ref.id, worker=job.token or "")


def _told(error: Exception) -> UnitFailed | UnitHopeless:
    """The error in words of our own: foreign errors quote the values they choke on, which are answers."""
    if isinstance(error, HOPELESS):
        return UnitHopeless(str(error), code=_code(error))
    if isinstance(error, HoldfastError):
        return UnitFailed(str(error))
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return UnitFailed(f"{type(error).__name__}{where}")


def _code(error: Exception) -> str:
    match error:
        case BadReply(kind=kind):
            return f"bad_reply_{kind}"
        case ProviderAuth():
            return "provider_auth"
        case ProviderRejected():
            return "provider_rejected"
        case _:
            return "unit_failed"


async def give_up(database: Database, queue: Queue, ref: UnitRef, end: GivenUp) -> None:
    """End a unit that failed for good, and go on with what the others allow."""
    following = await database.run(partial(units.finish, ref=ref, end=end, plan=planner()))
    await enqueue(queue, following or ())
