"""What a journal's records add up to: every call's state, the replies that count, the money."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

# As in the service's ledger: under way | nobody knows | its reply counts | another one came first | brought nothing |
# a person said what became of it.
State: TypeAlias = Literal["intent", "in_doubt", "replied", "superseded", "failed", "settled"]
Step: TypeAlias = tuple[str, str]  # name, fingerprint

OPEN = ("intent", "in_doubt")


@dataclass(slots=True, kw_only=True)
class Call:
    """One call, as its records tell."""

    id: str
    step: Step
    model: str
    reserve: Decimal
    begun_at: datetime
    state: State = "intent"
    cost: Decimal = Decimal(0)
    error: str | None = None


@dataclass(slots=True)
class Books:
    """The sum of all records so far."""

    calls: dict[str, Call] = field(default_factory=dict)  # by id, the oldest first
    replies: dict[Step, str] = field(default_factory=dict)  # the first one recorded, as JSON: a reader gets its own
    by_step: dict[Step, list[Call]] = field(default_factory=dict)

    def enter(self, record: Mapping[str, Any]) -> None:
        """Add a record that is on disk. Raises ValueError for one that is not ours."""
        match record["kind"]:
            case "intent":
                self._intent(record)
            case "reply":
                self._reply(record)
            case "failed":
                self._failed(record)
            case "settled":
                call = self.calls[record["call"]]
                call.state, call.cost = "settled", Decimal(record["cost"])
            case other:
                raise ValueError(f"a record of the kind {other!r}")

    def open_calls(self, step: Step) -> list[Call]:
        """The step's calls of which nobody knows how they ended, the oldest first."""
        return [call for call in self.by_step.get(step, ()) if call.state in OPEN]

    def reply(self, step: Step) -> Any:
        """The reply that counts. Raises KeyError."""
        return json.loads(self.replies[step])

    def _intent(self, record: Mapping[str, Any]) -> None:
        call = Call(
            id=record["call"],
            step=(record["step"], record["fingerprint"]),
            model=record["model"],
            reserve=Decimal(record["reserve"]),
            begun_at=datetime.fromisoformat(record["at"]),
        )
        self.calls[call.id] = call
        self.by_step.setdefault(call.step, []).append(call)

    def _reply(self, record: Mapping[str, Any]) -> None:
        call = self.calls[record["call"]]
        call.state = "superseded" if call.step in self.replies else "replied"
        call.cost = Decimal(record["cost"])
        self.replies.setdefault(call.step, json.dumps(record["value"]))

    def _failed(self, record: Mapping[str, Any]) -> None:
        call = self.calls[record["call"]]
        call.error = record["error"]
        if record["cost"] is None:
            call.state = "in_doubt"
        else:
            call.state, call.cost = "failed", Decimal(record["cost"])
