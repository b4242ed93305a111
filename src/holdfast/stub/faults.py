"""Faults on command: rules that say which calls go wrong, how, and how often."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Refused with an error; nothing is done and nothing is billed.
REFUSALS = frozenset({"rate_limit", "overloaded", "server_error", "auth", "quota", "bad_request"})
# The connection: before the work (not billed) …
BEFORE = frozenset({"close_on_accept", "timeout_before_billing"})
# … or after it (billed, where the call is one that costs).
AFTER = frozenset({"timeout_after_billing", "cut_body", "slow"})
# The reply comes, is billed, and is not as wished.
CONTENT = frozenset(
    "truncated_json wrong_schema max_tokens refusal content_filter cached says missing_ids invented_ids".split()  # noqa: SIM905
)
# A request in a batch ends without a reply; not billed.
ITEMS = frozenset({"batch_item_error", "batch_expire"})
# A list of batches that does not show yet what was made a moment ago.
LISTS = frozenset({"empty_list"})

REQUEST_FAULTS = REFUSALS | BEFORE | AFTER
FAULTS = REQUEST_FAULTS | CONTENT | ITEMS | LISTS
MATCHES = frozenset({"api", "model", "contains", "custom_id", "step", "nth"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that may go wrong: a request, or one item of a batch."""

    api: str  # e.g. messages, chat, files.create, message_batches.list
    provider: str  # anthropic | openai
    possible: frozenset[str]  # the faults it can meet
    model: str = ""
    text: str = ""  # the prompt's
    schema_name: str = ""
    custom_id: str = ""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One rule, and how often it still fires."""

    fault: str
    match: Mapping[str, Any] = field(default_factory=dict)
    times: int | None = 1  # None: for ever
    retry_after: float = 1.0  # seconds, told by rate_limit and overloaded
    seconds: float = 1.0  # over which a slow answer trickles
    tokens: int = 0  # read from a cache
    text: str = ""  # what the model says instead
    seen: int = 0  # matching calls so far
    fired: int = 0

    def meets(self, event: Event) -> bool:
        """Whether the rule fires for this event; counts it."""
        if self.fault not in event.possible or not matches(self.match, event):
            return False
        self.seen += 1
        if self.seen < int(self.match.get("nth", 1)) or self.times == self.fired:
            return False
        self.fired += 1
        return True


def matches(match: Mapping[str, Any], event: Event) -> bool:
    """Whether all that is asked for is so; `nth` is not looked at."""
    api, step = match.get("api"), match.get("step")
    return (
        (api is None or api in {event.api, event.api.partition(".")[0], event.provider})
        and match.get("model") in {None, event.model}
        and match.get("contains", "") in event.text
        and event.custom_id.endswith(match.get("custom_id", ""))
        and (step is None or step == event.schema_name or event.custom_id.endswith(step))
    )


class Plan:
    """The rules in force; the first that fires for an event decides."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def add(self, rules: Iterable[Mapping[str, Any]]) -> None:
        """Put rules behind those in force; ValueError says what is wrong with one, and then none is added."""
        self.rules += [_rule(values) for values in rules]

    def clear(self) -> None:
        self.rules.clear()

    def take(self, event: Event) -> Fault | None:
        """What goes wrong with this event, if anything; uses up one of the rule's times."""
        return next((rule for rule in self.rules if rule.meets(event)), None)


def _rule(values: Mapping[str, Any]) -> Fault:
    if values.get("fault") not in FAULTS:
        raise ValueError(f"no such fault: {values.get('fault')}; there are {', '.join(sorted(FAULTS))}")
    known = {"fault", "match", "times", "retry_after", "seconds", "tokens", "text"}
    if unknown := set(values) - known:
        raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
    if unknown := set(values.get("match", {})) - MATCHES:
        raise ValueError(f"a match has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(MATCHES))}")
    return Fault(**values)
