"""Units become jobs: the names they get, and putting them into the queue."""

import re
from collections.abc import Sequence
from uuid import UUID

import structlog

from holdfast.errors import QueueUnavailable
from holdfast.queue import Backoff, NewJob, Queue
from holdfast.store.units import UnitRef

QUEUE = "codeframe-generation"
ATTEMPTS = 3

_NAME = re.compile(
    r"g-(?P<generation>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})-(?P<stage>[a-z]+)-(?P<ordinal>\d{1,9})(-r\d+)?"
)

log = structlog.get_logger("holdfast.service")


def job_id(ref: UnitRef) -> str:
    """The one name a unit's job has in its round; adding it twice is adding it once."""
    again = f"-r{ref.round}" if ref.round else ""
    return f"{job_prefix(ref.generation_id)}{ref.stage}-{ref.ordinal}{again}"


def job_prefix(generation_id: UUID) -> str:
    """How the ids of all of a generation's jobs begin."""
    return f"g-{generation_id}-"


def place_of(job_id: str) -> tuple[UUID, str, int] | None:
    """The generation, stage and ordinal that such a name names; None: it is no unit's name."""
    found = _NAME.fullmatch(job_id)
    return None if found is None else (UUID(found["generation"]), found["stage"], int(found["ordinal"]))


def new_job(ref: UnitRef) -> NewJob:
    """The job of a unit: ids only, no survey text in Redis."""
    data = {"unit": ref.id, "generation": str(ref.generation_id), "ordinal": ref.ordinal, "round": ref.round}
    backoff = Backoff(type="exponential", delay=2.0)
    return NewJob(ref.stage, data, job_id=job_id(ref), attempts=ATTEMPTS, backoff=backoff)


async def enqueue(queue: Queue, refs: Sequence[UnitRef]) -> bool:
    """Add the units' jobs. False if Redis is away: they are in the database, the reconciler will add them."""
    if not refs:
        return True
    try:
        await queue.add_many([new_job(ref) for ref in refs])
    except QueueUnavailable:
        log.warning("redis away, units left to the reconciler", units=len(refs))
        return False
    return True
