"""The stub's bill: one line a paid call, on disk before a byte of the reply is sent."""

import contextlib
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from holdfast.stub.prices import Usage

BILL = "bill.jsonl"
PROMPTS = "prompts.jsonl"


def prompt_digest(system: str, user: str) -> str:
    """The name under which the bill lists a prompt."""
    return sha256(f"{system}\0{user}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledCall:
    """One paid call."""

    n: int  # counted from 1
    at: datetime
    api: str  # messages | chat | message_batches | chat_batches
    model: str
    custom_id: str | None  # of a request in a batch
    batch_id: str | None
    prompt_digest: str
    request_id: str  # as in the header of the reply
    usage: Usage
    usd: Decimal
    outcome: str  # ok, or the fault that the call met

    def line(self) -> bytes:
        """As it stands in the bill."""
        return orjson.dumps(self, default=_exact) + b"\n"


def _exact(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} has no place in a bill")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """All paid calls, in the order they came in."""

    calls: tuple[BilledCall, ...]
    prompts: Mapping[str, str]  # digest -> system and user text

    @property
    def usd(self) -> Decimal:
        return sum((call.usd for call in self.calls), Decimal(0))

    @property
    def by_prompt(self) -> Counter[str]:
        """How often each prompt was paid for, by its digest."""
        return Counter(call.prompt_digest for call in self.calls)

    @property
    def by_custom_id(self) -> Counter[str]:
        """How often each request of a batch was paid for."""
        return Counter(call.custom_id for call in self.calls if call.custom_id is not None)

    @property
    def paid_twice(self) -> dict[str, int]:
        """The digests of the prompts paid for more than once, and how often."""
        return {digest: n for digest, n in self.by_prompt.items() if n > 1}

    def calls_for(self, text: str) -> tuple[BilledCall, ...]:
        """The calls whose custom id ends with the text, whose prompt's digest it is, or whose prompt holds it."""
        return tuple(call for call in self.calls if self._is_for(call, text))

    def _is_for(self, call: BilledCall, text: str) -> bool:
        return (
            (call.custom_id or "").endswith(text)
            or call.prompt_digest == text
            or text in self.prompts.get(call.prompt_digest, "")
        )


class BillBook:
    """Writes the bill in a folder; goes on with the one it finds there."""

    def __init__(self, folder: Path) -> None:
        self._file = _appending(folder / BILL)
        self._prompts = _appending(folder / PROMPTS)
        before = read_bill(folder)
        self.calls = list(before.calls)
        self.usd = before.usd
        self.prompts = dict(before.prompts)

    def add(self, text: str, **call: Any) -> BilledCall:
        """Write one more call down; `text` is its prompt's."""
        billed = BilledCall(n=len(self.calls) + 1, at=datetime.now(UTC), **call)
        if billed.prompt_digest not in self.prompts:
            self.prompts[billed.prompt_digest] = text
            os.write(self._prompts, orjson.dumps([billed.prompt_digest, text]) + b"\n")
        os.write(self._file, billed.line())
        self.calls.append(billed)
        self.usd += billed.usd
        return billed

    def close(self) -> None:
        os.close(self._file)
        os.close(self._prompts)


def read_bill(folder: Path) -> Bill:
    """The bill as it stands on disk, also while the stub runs or when it is dead."""
    calls = [_billed(line) for line in _lines(folder / BILL)]
    return Bill(calls=tuple(calls), prompts=dict(_lines(folder / PROMPTS)))


def _billed(line: dict[str, Any]) -> BilledCall:
    known = {field.name for field in fields(BilledCall)}
    values = {name: value for name, value in line.items() if name in known}
    return BilledCall(
        **{
            **values,
            "at": datetime.fromisoformat(line["at"]),
            "usage": Usage(**line["usage"]),
            "usd": Decimal(line["usd"]),
        }
    )


def _lines(path: Path) -> list[Any]:
    """The whole lines of the file: the last may be half written when the stub was killed."""
    with contextlib.suppress(FileNotFoundError):
        return [orjson.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    return []


def _appending(path: Path) -> int:
    """Open a file of lines to append to, without the half line that a killed stub may have left."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        os.ftruncate(descriptor, data.rfind(b"\n") + 1)
    return descriptor
