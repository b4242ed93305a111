"""A journal in one file, for a program that has no database."""

import asyncio
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from holdfast.durable.books import OPEN, Books, Call
from holdfast.durable.journal import Answer, Granted, Held, InDoubt, Intent, Recorded, Reply
from holdfast.durable.records import RecordFile
from holdfast.errors import JournalBroken, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A call of which nobody knows whether it was made and billed."""

    call_id: str
    step: str
    model: str
    reserve: Decimal  # the most it can have cost, US dollars
    begun_at: datetime
    error: str | None  # what the call raised; None: its process died or was stopped before the reply was on disk


class FileJournal:
    """Keeps intents, replies and costs as JSON lines, each on disk (fsync) before anything goes on.

    One process has the file at a time: opening it raises Conflict while another one does, and JournalBroken if it is no
    journal or is damaged before its last line. All replies are held in memory. There are no caps: `begin` never raises
    BudgetUsedUp. Close it, or use `with`; a process that is killed leaves nothing to clean up.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._file = RecordFile(self.path)
        self._books = Books()
        self._writing = threading.Lock()
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise
        # The lock on the file says that whoever began these is gone.
        for call in self._books.calls.values():
            call.state = "in_doubt" if call.state == "intent" else call.state

    def _read(self) -> None:
        for record in self._file.read():
            try:
                self._books.enter(record)
            except (ArithmeticError, KeyError, TypeError, ValueError) as error:
                raise JournalBroken(f"{self.path} holds what no journal of this version of Holdfast wrote") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another process have the file."""
        with self._writing:
            self._file.close()

    @property
    def spent(self) -> Decimal:
        """What all calls have cost whose end is known, failed and superseded ones too; US dollars."""
        return sum((call.cost for call in self._books.calls.values()), Decimal(0))

    def doubts(self) -> list[Doubt]:
        """The calls in doubt, the oldest first."""
        return [_doubt(call) for call in self._books.calls.values() if call.state == "in_doubt"]

    async def begin(self, intent: Intent, *, in_doubt: InDoubt) -> Answer:
        """See `Journal.begin`."""
        return await asyncio.to_thread(self._begin, intent, in_doubt)

    async def settle(self, intent: Intent, reply: Reply) -> Any:
        """See `Journal.settle`. The value is what a replay will give: a tuple has become a list."""
        return await asyncio.to_thread(self._settle, intent, reply)

    async def fail(self, intent: Intent, *, error: str, cost: Decimal | None) -> None:
        """See `Journal.fail`. Does nothing to a call whose end is known."""
        await asyncio.to_thread(self._fail, intent, error, cost)

    async def resolve(self, call_id: str, *, cost: Decimal | None = None) -> None:
        """A person knows what became of a call in doubt: it cost so much (None: what it had reserved; 0: not made).

        Its step is called again the next time. Raises NotFound for a call that is not in doubt.
        """
        await asyncio.to_thread(self._resolve, call_id, cost)

    def _begin(self, intent: Intent, in_doubt: InDoubt) -> Answer:
        step = (intent.step, intent.fingerprint)
        with self._writing:
            if step in self._books.replies:
                return Recorded(value=self._books.reply(step))
            doubts = [call for call in self._books.open_calls(step) if call.id != intent.id]
            for call in doubts:
                call.state = "in_doubt"
            if doubts and in_doubt == "hold":
                return Held(call_id=doubts[0].id)
            if intent.id not in self._books.calls:
                self._write("intent", intent.id, _told(intent))
            return Granted(doubts=tuple(call.id for call in doubts))

    def _settle(self, intent: Intent, reply: Reply) -> Any:
        with self._writing:
            call = self._call(intent.id)
            if call.state not in {"replied", "superseded"}:
                told = {"value": reply.value, "cost": str(reply.cost), "usage": dict(reply.usage)}
                self._write("reply", intent.id, told)
            return self._books.reply(call.step)

    def _fail(self, intent: Intent, error: str, cost: Decimal | None) -> None:
        with self._writing:
            if self._call(intent.id).state in OPEN:
                self._write("failed", intent.id, {"error": error, "cost": None if cost is None else str(cost)})

    def _resolve(self, call_id: str, cost: Decimal | None) -> None:
        with self._writing:
            call = self._books.calls.get(call_id)
            if call is None or call.state != "in_doubt":
                raise NotFound(kind="call in doubt", id=call_id)
            self._write("settled", call_id, {"cost": str(call.reserve if cost is None else cost)})

    def _call(self, call_id: str) -> Call:
        try:
            return self._books.calls[call_id]
        except KeyError:
            raise NotFound(kind="call", id=call_id) from None

    def _write(self, kind: str, call_id: str, told: Mapping[str, Any]) -> None:
        record = {"kind": kind, "call": call_id, "at": datetime.now(UTC).isoformat(), **told}
        self._file.append(record)
        # As it will be read the next time: what is replayed is what was returned.
        self._books.enter(json.loads(json.dumps(record)))


def _told(intent: Intent) -> Mapping[str, Any]:
    return {
        "step": intent.step,
        "fingerprint": intent.fingerprint,
        "model": intent.model,
        "reserve": str(intent.reserve),
        "credential": intent.credential,
    }


def _doubt(call: Call) -> Doubt:
    return Doubt(
        call_id=call.id,
        step=call.step[0],
        model=call.model,
        reserve=call.reserve,
        begun_at=call.begun_at,
        error=call.error,
    )
