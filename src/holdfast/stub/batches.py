"""Batches: kept in the folder, worked off at half the price, gone on with after a kill; nothing is billed again."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex
from time import time
from typing import Any

import orjson

from holdfast.stub.bill import BilledCall
from holdfast.stub.faults import CONTENT, ITEMS, Event, Fault
from holdfast.stub.replying import compose
from holdfast.stub.serving import FACES, Desk

APIS = {"anthropic": "message_batches", "openai": "chat_batches"}
TURN = 20  # requests worked off before others may run


@dataclass(slots=True, kw_only=True)
class Batch:
    """One batch; what became of its requests stands in a file of its own."""

    id: str
    provider: str
    created_at: float  # seconds since 1970, as the others
    requests: Sequence[Mapping[str, Any]]  # {"custom_id": …, "body": …}
    metadata: Mapping[str, str] | None = None  # OpenAI's
    input_file_id: str = ""  # OpenAI's
    cancelled_at: float | None = None
    ended_at: float | None = None
    expired: bool = False


class Batches:
    """All batches of a folder, and the work on those that have not ended."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._folder = desk.folder / "batches"
        self.files = desk.folder / "files"  # OpenAI's uploads
        for folder in (self._folder, self.files):
            folder.mkdir(exist_ok=True)
        self._work: set[asyncio.Task[None]] = set()
        self.all: dict[str, Batch] = {}
        self.done: dict[str, dict[str, dict[str, Any]]] = {}  # batch id -> custom id -> what became of it
        for path in self._folder.glob("*.json"):
            batch = Batch(**orjson.loads(path.read_bytes()))
            self.all[batch.id], self.done[batch.id] = batch, dict(_outcomes(self._folder / f"{batch.id}.done"))

    def resume(self) -> None:
        """Go on with what had not ended when the stub was killed."""
        for batch in self.all.values():
            if batch.ended_at is None:
                self._start(batch)
            else:
                self._desk.ended.add(batch.id)

    async def stop(self) -> None:
        """Work no more; what is not done is gone on with at the next start."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    def create(self, provider: str, requests: Sequence[Mapping[str, Any]], **extra: Any) -> Batch:
        """Take a batch in and begin it."""
        prefix = "msgbatch_" if provider == "anthropic" else "batch_"
        batch = Batch(
            id=f"{prefix}{token_hex(12)}", provider=provider, created_at=time(), requests=list(requests), **extra
        )
        self.all[batch.id], self.done[batch.id] = batch, {}
        self._save(batch)
        self._start(batch)
        return batch

    def cancel(self, batch: Batch) -> None:
        """What is not done yet will not be."""
        if batch.ended_at is None and batch.cancelled_at is None:
            batch.cancelled_at = time()
            self._save(batch)

    def newest_first(self, provider: str) -> list[Batch]:
        found = [batch for batch in self.all.values() if batch.provider == provider]
        return sorted(found, key=lambda batch: batch.created_at, reverse=True)

    def tally(self, batch: Batch, kind: str) -> int:
        return sum(outcome["kind"] == kind for outcome in self.done[batch.id].values())

    def _save(self, batch: Batch) -> None:
        new = self._folder / f"{batch.id}.new"
        new.write_bytes(orjson.dumps(asdict(batch)))
        new.replace(self._folder / f"{batch.id}.json")

    def _start(self, batch: Batch) -> None:
        task = asyncio.get_running_loop().create_task(self._run(batch))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _run(self, batch: Batch) -> None:
        event = Event(api=APIS[batch.provider], provider=batch.provider, possible=frozenset())
        await asyncio.sleep(max(0.0, batch.created_at + self._desk.options.batch_seconds - time()))
        await self._desk.gate.enter(event, None, before_billing=True)
        billed = {each.custom_id: each for each in self._desk.book.calls if each.batch_id == batch.id}
        with (self._folder / f"{batch.id}.done").open("ab", buffering=0) as file:
            for n, request in enumerate(batch.requests):
                name = request["custom_id"]
                if name not in self.done[batch.id]:
                    outcome = self._outcome(batch, request, billed.get(name))
                    self.done[batch.id][name] = outcome
                    file.write(orjson.dumps([name, outcome]) + b"\n")
                if n % TURN == TURN - 1:
                    await asyncio.sleep(0)
        await self._desk.gate.enter(event, None)
        batch.ended_at = time()
        self._save(batch)
        self._desk.ended.add(batch.id)
        self._desk.changes.tell()

    def _outcome(self, batch: Batch, request: Mapping[str, Any], billed: BilledCall | None) -> dict[str, Any]:
        if batch.cancelled_at is not None and billed is None:
            return {"kind": "canceled"}
        try:
            prompt = FACES[batch.provider].read_prompt(request["body"])
        except (ValueError, KeyError, TypeError) as error:
            return {"kind": "errored", "message": str(error)}
        event = Event(
            api=APIS[batch.provider],
            provider=batch.provider,
            possible=CONTENT | ITEMS,
            model=prompt.model,
            text=prompt.text,
            schema_name=prompt.schema_name or "",
            custom_id=request["custom_id"],
        )
        fault = self._desk.plan.take(event) if billed is None else Fault(fault=billed.outcome)
        if fault and fault.fault in ITEMS:
            batch.expired |= fault.fault == "batch_expire"
            return {"kind": "expired" if fault.fault == "batch_expire" else "errored", "message": "Internal error"}
        reply = compose(prompt, fault)
        request_id = billed.request_id if billed else f"req_{token_hex(12)}"
        if billed is None:
            ids = {"batch_id": batch.id, "custom_id": request["custom_id"]}
            self._desk.bill(prompt, reply, fault, api=event.api, request_id=request_id, **ids)
        body = FACES[batch.provider].whole(prompt, reply, batch=True)
        return {"kind": "succeeded", "request_id": request_id, "body": body}


def _outcomes(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The whole lines of the file; a half one, which a kill may leave, is cut off."""
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        path.write_bytes(whole)
    for line in whole.splitlines():
        name, outcome = orjson.loads(line)
        yield name, outcome
