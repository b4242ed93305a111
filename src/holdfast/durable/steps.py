"""Steps: nothing is paid for outside one."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, TypeVar
from uuid import uuid4
from weakref import WeakValueDictionary

import structlog

from holdfast import faultpoints
from holdfast.durable.fingerprint import fingerprint
from holdfast.durable.journal import Answer, Granted, Held, InDoubt, Intent, Journal, Recorded, Reply
from holdfast.errors import StepHeld

log = structlog.get_logger("holdfast.durable")

T = TypeVar("T")


class Steps:
    """Runs calls so that each is paid for once, whatever dies between its parts.

    Order of what is on disk: the intent, then the call, then its raw reply with its cost, then what the caller makes of
    it. Dying, or being cancelled, between the intent and the reply leaves one call in doubt; `in_doubt` says what the
    next attempt does: `repeat` it, or `hold` and raise StepHeld until a person has settled it. Runs of one step at the
    same time wait for each other: the first one calls, the others replay.
    """

    def __init__(self, journal: Journal, *, in_doubt: InDoubt = "repeat") -> None:
        self._journal = journal
        self._in_doubt: InDoubt = in_doubt
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def run(
        self,
        name: str,
        call: Callable[[], Awaitable[Reply]],
        *,
        inputs: Any,
        model: str = "",
        reserve: Decimal = Decimal(0),
        credential: str = "",
    ) -> Any:
        """The reply's value, from the journal if this step with these inputs was ever answered, else from `call`.

        `inputs`: JSON, everything the reply depends on besides `model`. `reserve`: the most the call can cost.
        `credential`: a digest of the key that pays. Raises StepHeld, BudgetUsedUp, and whatever `call` raises; an
        exception's attribute `cost` says what the failed call was billed. None: nobody knows, it is in doubt; so is a
        call that reserved money and raised what has no such attribute.
        """
        digest = fingerprint(model, inputs)
        intent = Intent(
            id=str(uuid4()), step=name, fingerprint=digest, model=model, reserve=reserve, credential=credential
        )
        async with self._turns.setdefault((name, digest), asyncio.Lock()):
            match await self._begin(intent):
                case Recorded(value=value):
                    log.info("step replayed", step=name)
                    return value
                case Held(call_id=call_id):
                    raise StepHeld(step=name, call_id=call_id)
                case Granted(doubts=doubts):
                    if doubts:
                        log.warning("calls in doubt, repeated", step=name, calls=len(doubts))
                    faultpoints.reach("intent stored")
                    return await self._make(call, intent)

    async def _begin(self, intent: Intent) -> Answer:
        beginning = asyncio.ensure_future(self._journal.begin(intent, in_doubt=self._in_doubt))
        try:
            return await _to_its_end(beginning)
        except asyncio.CancelledError:
            if _granted(beginning):
                # Nobody needs to doubt a call that was surely not made.
                await _to_its_end(self._journal.fail(intent, error="cancelled before the call", cost=Decimal(0)))
            raise

    async def _make(self, call: Callable[[], Awaitable[Reply]], intent: Intent) -> Any:
        try:
            reply = await call()
        except Exception as error:  # a cancellation is none: the call was cut off, and its intent stays, in doubt
            cost = getattr(error, "cost", None if intent.reserve else Decimal(0))
            told = f"{type(error).__name__}: {error}"[:2000]
            await _to_its_end(self._journal.fail(intent, error=told, cost=cost))
            raise
        faultpoints.reach("call returned")
        value = await _to_its_end(self._journal.settle(intent, reply))
        faultpoints.reach("reply stored")
        return value


def _granted(beginning: asyncio.Future[Answer]) -> bool:
    ended_well = beginning.done() and not beginning.cancelled() and beginning.exception() is None
    return ended_well and isinstance(beginning.result(), Granted)


async def _to_its_end(work: Awaitable[T]) -> T:
    """What is being written is written, and only then is a cancellation raised; a second one stops it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        raise
