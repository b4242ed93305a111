"""Calls bought in a provider's batch: half the price, and the answer comes when the provider has time.

The batch and the intents of all its calls are committed before the submit, and the batch's id travels with each
request: after a crash the provider is asked whether it has it, so that not even the submit is in doubt. Results become
recorded replies; the units that follow replay them for free.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import structlog

from holdfast import faultpoints
from holdfast.durable import Intent, fingerprint
from holdfast.errors import (
    HoldfastError,
    Postponed,
    ProviderAuth,
    ProviderBusy,
    ProviderError,
    ProviderQuota,
    ProviderRejected,
)
from holdfast.llm import Completion, Found, NotThere, Search, Unsure
from holdfast.service.asking import Question, reply_of
from holdfast.service.models import Models, most_of
from holdfast.service.repeating import again_and_again
from holdfast.store import Caps, Database, batches, calls
from holdfast.store.batches import Batch
from holdfast.store.units import OwedUnit

LOOK_FIRST = 1.0  # seconds until a running batch is looked at again, then a tenth of its age
LOOK_LAST = 60.0
SWEEP_EVERY = 10.0  # seconds between looks for batches that nobody waits for any more
OVERDUE = 25 * 3600.0  # seconds; providers end a batch within a day, one that does not is cancelled
LOOK_CANCELLED = 5.0  # seconds until a batch that was cancelled for that is looked at again
LOOK_TWICE = 10.0  # seconds between the two looks at the provider's batches before one is handed in again
SUBMIT_LASTS = 600.0  # seconds in which a submit by a worker that lives has certainly come to its end

# The provider has said no before it took anything in: there is nothing to look for.
REFUSED = (ProviderAuth, ProviderQuota, ProviderRejected)

log = structlog.get_logger("holdfast.service")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    name: str  # in the batch
    intent: Intent
    question: Question[Any]


class Batching:
    """Submits batches, waits for them, and records what they bring."""

    def __init__(
        self,
        database: Database,
        models: Models,
        *,
        caps: Caps,
        living: Callable[[], Awaitable[Container[str]]],
        sweep_every: float = SWEEP_EVERY,
    ) -> None:
        """`living`: ids of the workers that are there now."""
        self._database = database
        self._living = living
        self._models = models
        self._caps = caps
        self._sweep_every = sweep_every
        self._missed: dict[UUID, float] = {}  # batches that the provider did not show, and when (monotonic)

    async def run(self, unit: OwedUnit, worker: str, asked: Sequence[Question[Any]]) -> dict[str, Any]:
        """One step on the way to a batch that has ended; its figures then.

        Raises Postponed while the provider is not done (look again then), BudgetUsedUp, StepNotWanted, ProviderError.
        """
        batch = await self._database.run(partial(batches.of_unit, unit_id=unit.ref.id))
        if batch is None or batch.never_made:
            batch = await self._open(unit, worker, asked)
            if batch is None:
                return {"n_requests": 0}
            await self._submit(batch, asked, worker)
        elif batch.state == "ended":
            return {"n_requests": batch.n_requests}
        elif batch.provider_id is None:
            await self._submit_or_find(batch, asked, worker)
        await self._collect(batch)
        return {"n_requests": batch.n_requests}

    async def sweep(self) -> None:
        """Stop batches that nobody waits for (any more), and record what they have cost."""
        for batch in await self._database.run(batches.left_open):
            try:
                await self._stop(batch)
            except Postponed:
                continue
            except HoldfastError as error:
                log.warning("left batch not settled yet", batch=str(batch.id), reason=type(error).__name__)

    async def sweep_for_ever(self, stopping: asyncio.Event) -> None:
        """Sweep now and then until `stopping`."""
        await again_and_again(self.sweep, what="sweep of batches", every=self._sweep_every, stopping=stopping)

    async def _open(self, unit: OwedUnit, worker: str, asked: Sequence[Question[Any]]) -> Batch | None:
        """Commit what is about to be bought; None if every call has its reply."""
        made = self._calls(asked)
        steps = [(call.intent.step, call.intent.fingerprint) for call in made]
        left = await self._database.run(
            lambda connection: batches.unanswered(connection, unit.ref.generation_id, steps)
        )
        intents = [call.intent for call in made if call.intent.step in left]
        if not intents:
            return None
        batch = Batch(
            id=uuid4(),
            generation_id=unit.ref.generation_id,
            unit_id=unit.ref.id,
            model=asked[0].config.model,
            n_requests=len(intents),
            provider_id=None,
            state="open",
            created_at=datetime.now(UTC),
        )
        opens = partial(batches.open_batch, batch=batch, intents=intents, worker=worker, caps=self._caps)
        refused = await self._database.run(opens, repeat=False)
        if refused is not None:
            raise refused
        faultpoints.reach("batch committed")
        return batch

    def _calls(self, asked: Sequence[Question[Any]]) -> list[_Call]:
        model = asked[0].config.model
        price, credential = self._models.price(model), self._models.client(model).credential
        return [
            _Call(
                name=_name(question.step),
                question=question,
                intent=Intent(
                    id=str(uuid4()),
                    step=question.step,
                    fingerprint=fingerprint(model, question.inputs),
                    model=model,
                    reserve=most_of(price, question.request, batch=True),
                    credential=credential,
                ),
            )
            for question in asked
        ]

    async def _submit(self, batch: Batch, asked: Sequence[Question[Any]], worker: str) -> None:
        intents = await self._database.run(partial(batches.intents_of, batch_id=batch.id))
        requests = {_name(question.step): question.request for question in asked if question.step in intents}
        provider = self._models.client(batch.model).batches
        try:
            provider_id = await provider.submit(requests, mark=batch.id.hex)
        except ProviderBusy:
            await self._database.run(partial(batches.withdraw, batch_id=batch.id))
            raise
        except REFUSED as error:
            why = f"{type(error).__name__}: {error}"
            await self._database.run(partial(batches.ended, batch_id=batch.id, error=why))
            raise
        faultpoints.reach("batch submitted")
        if await self._database.run(partial(batches.submitted, batch_id=batch.id, provider_id=provider_id)):
            log.info("batch submitted", batch=str(batch.id), requests=len(requests))
        else:
            await self._give_back(batch, list(intents.values()), provider_id=provider_id, worker=worker)
        raise Postponed(LOOK_FIRST)

    async def _give_back(self, batch: Batch, intents: Sequence[Intent], *, provider_id: str, worker: str) -> None:
        """This worker slept for so long that another one has handed the batch in: what was worked on is recorded."""
        kept = partial(batches.keep_surplus, batch=batch, intents=intents, provider_id=provider_id, worker=worker)
        await self._database.run(kept)
        log.warning("batch handed in twice, the later one is cancelled", batch=str(batch.id), provider_id=provider_id)
        await self._cancel(batch, provider_id)

    async def _submit_or_find(self, batch: Batch, asked: Sequence[Question[Any]], worker: str) -> None:
        """The submit's outcome is not known: ask the provider."""
        match await self._find(batch):
            case Found(batch_id=provider_id):
                log.info("batch found again", batch=str(batch.id))
                await self._database.run(partial(batches.submitted, batch_id=batch.id, provider_id=provider_id))
                raise Postponed(0.0)
            case NotThere():
                if self._may_show_late(batch):
                    raise Postponed(LOOK_TWICE)
                # Whoever looks for this second submit must give it the time to show, as the first one had.
                await self._database.run(partial(batches.begun_again, batch_id=batch.id, worker=worker))
                await self._submit(batch, asked, worker)
            case Unsure(look_again_in=seconds):
                raise Postponed(seconds)

    def _may_show_late(self, batch: Batch) -> bool:
        # A provider's list may lag behind. Nothing is handed in again for one look that did not find it.
        first = self._missed.setdefault(batch.id, monotonic())
        if monotonic() - first < LOOK_TWICE:
            return True
        del self._missed[batch.id]
        return False

    async def _may_come(self, batch: Batch) -> bool:
        # Whoever is alive may still be handing it in. Of the dead nothing comes after the provider's list has shown it;
        # what one that only slept hands in later is given back.
        submitter = await self._database.run(partial(batches.submitter, batch_id=batch.id))
        if submitter is not None and submitter.partition(":")[0] in await self._living():
            self._missed.pop(batch.id, None)
            return _age(batch) <= SUBMIT_LASTS
        return self._may_show_late(batch)

    async def _find(self, batch: Batch) -> Search:
        # Another batch of this size that still runs might be ours, unless we know whose it is.
        known = await self._database.run(partial(batches.provider_ids, model=batch.model))
        provider = self._models.client(batch.model).batches
        return await provider.find(batch.id.hex, n_requests=batch.n_requests, since=batch.created_at, known=known)

    async def _collect(self, batch: Batch) -> None:
        assert batch.provider_id is not None
        provider = self._models.client(batch.model).batches
        look = await provider.look(batch.provider_id)
        if look.state != "ended":
            age = _age(batch)
            if age > OVERDUE:
                await self._cancel(batch, batch.provider_id)
                raise Postponed(LOOK_CANCELLED)
            raise Postponed(min(LOOK_LAST, max(LOOK_FIRST, age / 10)))
        intents = await self._database.run(partial(batches.intents_of, batch_id=batch.id))
        named = {_name(step): intent for step, intent in intents.items()}
        async for name, result in provider.results(batch.provider_id):
            intent = named.get(name)
            if intent is not None:
                await self._record(batch, intent, result)
        await self._database.run(partial(batches.ended, batch_id=batch.id))
        log.info("batch ended", batch=str(batch.id), requests=batch.n_requests)

    async def _record(self, batch: Batch, intent: Intent, result: Completion | ProviderError) -> None:
        if isinstance(result, ProviderError):
            reason = f"{type(result).__name__}: {result}"
            await self._database.run(partial(calls.fail, call_id=intent.id, error=reason, cost=result.cost))
            return
        reply = reply_of(result, self._models.price(batch.model), batch=True)
        settle = partial(calls.settle, generation_id=batch.generation_id, intent=intent, reply=reply)
        await self._database.run(settle)

    async def _stop(self, batch: Batch) -> None:
        provider = self._models.client(batch.model).batches
        provider_id = batch.provider_id
        if provider_id is None:
            found = await self._find(batch)
            if isinstance(found, NotThere) and not await self._may_come(batch):
                await self._database.run(partial(batches.ended, batch_id=batch.id))
            if not isinstance(found, Found):
                return
            provider_id = found.batch_id
            await self._database.run(partial(batches.submitted, batch_id=batch.id, provider_id=provider_id))
        if (await provider.look(provider_id)).state != "ended":
            await self._cancel(batch, provider_id)
        await self._collect(_with_id(batch, provider_id))

    async def _cancel(self, batch: Batch, provider_id: str) -> None:
        try:
            await self._models.client(batch.model).batches.cancel(provider_id)
        except ProviderError as error:  # it is being cancelled already, or has ended: the next look tells
            log.warning("batch not cancelled", batch=str(batch.id), reason=type(error).__name__)


def _name(step: str) -> str:
    """A step's name in the batch: its unit's number."""
    return step.partition("/")[2]


def _age(batch: Batch) -> float:
    return (datetime.now(UTC) - batch.created_at).total_seconds()


def _with_id(batch: Batch, provider_id: str) -> Batch:
    named: Mapping[str, Any] = {name: getattr(batch, name) for name in Batch.__slots__}
    return Batch(**{**named, "provider_id": provider_id})
