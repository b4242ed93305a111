"""Is everything accounted for: what the database says was owed and done, and where Redis has the jobs."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from holdfast.queue import Queue
from holdfast.service.enqueueing import job_prefix
from holdfast.store import Database, balances
from holdfast.store.balances import Account, Balance, InHand

STATES: tuple[Literal["wait", "active", "completed", "failed", "delayed", "paused"], ...] = (
    "wait",
    "active",
    "completed",
    "failed",
    "delayed",
    "paused",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Where a generation's jobs are in Redis."""

    by_state: dict[str, int]
    in_two_states: int  # jobs that are in more than one list

    @property
    def n_jobs(self) -> int:
        return sum(self.by_state.values()) - self.in_two_states


async def balance_of(database: Database, generation_id: UUID) -> Balance:
    """What was owed, done, lost and done twice."""
    return await database.run(lambda connection: balances.balance(connection, generation_id))


async def account_of(database: Database, generation_id: UUID) -> Account:
    """The generation's state and each unit's."""
    return await database.run(lambda connection: balances.account(connection, generation_id))


async def in_hand(database: Database, generation_id: UUID) -> list[InHand]:
    """The units that a worker, maybe a dead one, has started and not ended."""
    return await database.run(lambda connection: balances.in_hand(connection, generation_id))


async def census_of(queue: Queue, generation_id: UUID) -> Census:
    """Read every list of the queue; raises QueueUnavailable."""
    mine = job_prefix(generation_id)
    by_state: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for state in STATES:
        ids = [job.id for job in await queue.jobs(state) if job.id.startswith(mine)]
        seen.update(ids)
        if ids:
            by_state[state] = len(ids)
    return Census(by_state=by_state, in_two_states=sum(times - 1 for times in seen.values()))
