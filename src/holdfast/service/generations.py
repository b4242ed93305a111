"""The use-cases of a generation: start it, look at it, read its codeframe."""

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID, uuid4

import structlog

from holdfast import faultpoints
from holdfast.errors import Conflict, QueueUnavailable
from holdfast.queue import Queue
from holdfast.service.balancing import Census, account_of, balance_of, census_of, in_hand
from holdfast.service.enqueueing import enqueue, job_id
from holdfast.service.estimates import Estimates
from holdfast.service.next_wave import check_frame
from holdfast.service.requests import MIN_ANSWERS, GenerationRequest, check, request_fingerprint
from holdfast.service.stages import CODE, FIRST, LABEL
from holdfast.service.statuses import Status, status_of
from holdfast.store import Connection, Database, codeframes, endings, generations, ledgers, units
from holdfast.store.balances import Account, Balance, InHand
from holdfast.store.codeframes import StoredNode
from holdfast.store.endings import EndedUnit, Place
from holdfast.store.generations import Created, Generation, NewGeneration, Snapshot
from holdfast.store.ledgers import Ledger

ENQUEUE_WAIT = 1.0  # seconds; what was asked for is committed, a client need not wait for a Redis that is away
RUNNING_WAIT = 0.5  # seconds; a status does not wait for a Redis that is away

log = structlog.get_logger("holdfast.service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """A finished codeframe."""

    generation: Generation
    nodes: list[StoredNode]  # parents before their children
    n_assigned: int  # answers with at least one code, rule code or Other


class Generations:
    """Generations of codeframes."""

    def __init__(
        self, database: Database, queue: Queue, estimates: Estimates, *, requests_per_minute: float | None = None
    ) -> None:
        self._database = database
        self._queue = queue
        self._estimates = estimates
        self._pace = requests_per_minute / 60 if requests_per_minute else None

    async def start(self, request: GenerationRequest) -> Created:
        """Commit the generation and its first unit, then enqueue it; a double click finds the one under way.

        Returns as soon as it is committed, also when Redis is away: the reconciler enqueues it then. Raises BadInput,
        NotFound (category), Conflict (Idempotency-Key), Unavailable (database).
        """
        check(request.config)
        if (frame_of := request.config.frame_of) is not None:
            await self._database.run(
                lambda connection: check_frame(connection, UUID(frame_of), request.config.examples)
            )
        budget = self._estimates.budget_of(request)
        said = await self._estimates.of(request)
        config = self._estimates.agreed(request.config)
        new = NewGeneration(
            id=uuid4(),
            category_id=request.category_id,
            config=config.to_json(),
            older_forms=config.older_forms(),
            answer_ids=request.answer_ids,
            idempotency_key=request.idempotency_key,
            client=request.client,
            budget=budget,
            estimate=None if said is None else said.to_json(),
            at_least=MIN_ANSWERS,
        )
        created = await self._database.run(
            lambda connection: generations.create(connection, new, first=FIRST, fingerprint_of=request_fingerprint)
        )
        # The commit's outcome may have been unknown and the insert run twice: finding our own id means it is ours.
        if not created.new and created.generation.id == new.id:
            created = replace(created, new=True)
        faultpoints.reach("generation committed")
        try:
            async with asyncio.timeout(ENQUEUE_WAIT):
                await enqueue(self._queue, created.units)
        except TimeoutError:
            log.warning("redis slow, units left to the reconciler", units=len(created.units))
        return created

    async def get(self, generation_id: UUID) -> Generation:
        """Raises NotFound, Unavailable."""
        return await self._database.run(lambda connection: generations.get(connection, generation_id))

    async def of_category(self, category_id: int) -> list[Generation]:
        """Every generation of the category, the newest first. Raises NotFound, Unavailable."""
        return await self._database.run(lambda connection: generations.of_category(connection, category_id))

    async def under_way(self) -> Generation | None:
        """The newest generation that has not ended."""
        return await self._database.run(generations.latest_under_way)

    async def status(self, generation_id: UUID) -> Status:
        """Where the generation is, right now. Raises NotFound, Unavailable."""

        async def work(connection: Connection) -> tuple[Snapshot, Ledger]:
            found = await generations.snapshot(connection, generation_id)
            return found, await ledgers.ledger(connection, generation_id)

        found, ledger = await self._database.run(work)
        return status_of(found, ledger, running=await self._running(found), pace=self._pace)

    async def ended_units(self, generation_id: UUID, *, after: Place | None = None) -> list[EndedUnit]:
        """Its units that ended after that place, the first one first, a page of them. Raises Unavailable."""
        return await self._database.run(partial(endings.ended_units, generation_id=generation_id, after=after))

    async def hierarchy(self, generation_id: UUID) -> Hierarchy:
        """The codeframe. Raises NotFound if there is no such generation, Conflict while it has no codeframe."""

        async def work(connection: Connection) -> Hierarchy:
            found = await generations.get(connection, generation_id)
            nodes = await codeframes.nodes(connection, generation_id)
            assigned = await codeframes.count_assigned(connection, generation_id)
            return Hierarchy(generation=found, nodes=nodes, n_assigned=assigned)

        hierarchy = await self._database.run(work)
        if not hierarchy.nodes:
            state = hierarchy.generation.state
            yet = " yet: it is under way" if state in generations.UNDER_WAY else f": it is {state}"
            raise Conflict(f"generation {generation_id} has no codeframe{yet}")
        return hierarchy

    async def balance(self, generation_id: UUID) -> Balance:
        """What was owed, done, lost and done twice. Raises Unavailable."""
        return await balance_of(self._database, generation_id)

    async def in_hand(self, generation_id: UUID) -> list[InHand]:
        """The units that a worker, maybe a dead one, has started and not ended. Raises Unavailable."""
        return await in_hand(self._database, generation_id)

    async def account(self, generation_id: UUID) -> Account:
        """Its state and each unit's, at one moment. Raises Unavailable."""
        return await account_of(self._database, generation_id)

    async def census(self, generation_id: UUID) -> Census:
        """Where its jobs are in Redis. Raises QueueUnavailable."""
        return await census_of(self._queue, generation_id)

    async def _running(self, found: Snapshot) -> int | None:
        under_way = [stage for stage in (LABEL, CODE) if (counts := found.stages.get(stage)) and counts.started]
        if not under_way:
            return 0
        reads = partial(units.started, generation_id=found.generation.id, stage=under_way[0])
        started = await self._database.run(reads)
        try:
            async with asyncio.timeout(RUNNING_WAIT):
                states = await self._queue.states([job_id(ref) for ref in started])
        except (QueueUnavailable, TimeoutError):
            return None
        return sum(state == "active" for state in states.values())
