"""Steps: nothing is paid for outside one."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import structlog

from holdfast import faultpoints
from holdfast.durable.fingerprint import fingerprint
from holdfast.durable.journal import Granted, Held, InDoubt, Intent, Journal, Recorded, Reply
from holdfast.errors import StepHeld

log = structlog.get_logger("holdfast.durable")


class Steps:
    """Runs calls so that each is paid for once, whatever dies between its parts.

    Order of what is on disk: the intent, then the call, then its raw reply with its cost, then what the caller makes of
    it. Dying between the call and its reply leaves one call in doubt; `in_doubt` says what the next attempt does:
    `repeat` it, or `hold` and raise StepHeld until a person has settled it.
    """

    def __init__(self, journal: Journal, *, in_doubt: InDoubt = "repeat") -> None:
        self._journal = journal
        self._in_doubt: InDoubt = in_doubt

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
        exception with an attribute `cost` is recorded as a failed call that was billed so much (None: nobody knows, it
        is in doubt).
        """
        digest = fingerprint(model, inputs)
        intent = Intent(
            id=str(uuid4()), step=name, fingerprint=digest, model=model, reserve=reserve, credential=credential
        )
        match await self._journal.begin(intent, in_doubt=self._in_doubt):
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

    async def _make(self, call: Callable[[], Awaitable[Reply]], intent: Intent) -> Any:
        try:
            reply = await call()
        except Exception as error:
            cost = getattr(error, "cost", Decimal(0))
            await self._journal.fail(intent, error=f"{type(error).__name__}: {error}"[:2000], cost=cost)
            raise
        faultpoints.reach("call returned")
        value = await self._journal.settle(intent, reply)
        faultpoints.reach("reply stored")
        return value
