"""Redis' and PostgreSQL's figures as metrics: every name and label that is not a process' own counter."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from holdfast.store.figures import Money, Work

# name -> (labels, help); a name's own type is its list's.
GAUGES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "holdfast_up": (("server",), "1 if the server answered this scrape, else 0: its figures are left out then"),
    "holdfast_queue_jobs": (("queue", "state"), "Jobs by state"),
    "holdfast_queue_oldest_seconds": (
        ("queue", "state"),
        "Oldest job of a state: wait and paused since it was added, active since it began, delayed since it was due",
    ),
    "holdfast_workers": (("queue",), "Workers that are alive"),
    "holdfast_worker_slots": (("queue",), "Jobs that all live workers together run at once"),
    "holdfast_throttle_failures": (("credential",), "Failures in a row of calls with a provider key, by its digest"),
    "holdfast_throttle_open": (("credential",), "1 while the circuit breaker of a provider key is open or tries again"),
    "holdfast_throttle_closed_seconds": (
        ("credential",),
        "Seconds until calls with a provider key may go on, as the provider or the breaker has it",
    ),
    "holdfast_generations": (("state",), "Generations by state"),
    "holdfast_units": (
        ("stage", "state"),
        "Units by stage and state, of generations under way or ended less than an hour ago",
    ),
    "holdfast_unit_owed_seconds": (("stage",), "Since when the oldest unit of an active generation is owed"),
    "holdfast_calls_under_way": (("model",), "Calls begun and not ended"),
    "holdfast_reserved_usd": (("model",), "What calls under way may cost at most"),
    "holdfast_in_doubt_calls": (("model",), "Calls of which nobody knows whether they were billed"),
    "holdfast_in_doubt_usd": (("model",), "What calls in doubt may have cost at most"),
    "holdfast_budget_usd": (("cap",), "A cap: month, key_month, or a generation's budget"),
    "holdfast_budget_left_usd": (
        ("cap",),
        "What it leaves; for key_month and generation, of the key or generation nearest to its own",
    ),
}
COUNTERS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "holdfast_ledger_calls": (("model", "outcome"), "Calls in the ledger that have ended, by outcome"),
    "holdfast_cost_usd": (("model", "outcome"), "What they have cost"),
    "holdfast_tokens": (("model", "kind"), "Tokens they were billed for: input, output, cache_read, cache_write"),
}
STATES = ("active", "paused", "completed", "partial", "failed", "cancelled")
TOKENS = ("input", "output", "cache_read", "cache_write")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRedis:
    """What one look at Redis found."""

    counts: Mapping[str, int]
    ages: Mapping[str, timedelta]
    n_workers: int
    slots: int
    throttles: Mapping[str, Mapping[str, float]]  # by digest of the key
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One scrape's figures; None: they cannot be had."""

    redis: OfRedis | None = None
    work: Work | None = None
    money: Money | None = None


class Exposition(Collector):
    """Shows the figures that were seen last."""

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self.seen = Seen()

    def describe(self) -> Iterator[Metric]:
        """Every metric, without figures."""
        yield from _families().values()

    def collect(self) -> Iterator[Metric]:
        """The figures, but for those of servers that are away."""
        families = _families()
        seen = self.seen
        families["holdfast_up"].add_metric(["redis"], seen.redis is not None)
        families["holdfast_up"].add_metric(["database"], seen.work is not None)
        if seen.redis is not None:
            _show_redis(families, self._queue, seen.redis)
        if seen.work is not None:
            _show_work(families, seen.work)
        if seen.money is not None:
            _show_money(families, seen.money)
        yield from (family for family in families.values() if family.samples)


def _families() -> dict[str, Any]:
    gauges = {name: GaugeMetricFamily(name, text, labels=labels) for name, (labels, text) in GAUGES.items()}
    counters = {name: CounterMetricFamily(name, text, labels=labels) for name, (labels, text) in COUNTERS.items()}
    return gauges | counters


def _show_redis(families: Mapping[str, Any], queue: str, found: OfRedis) -> None:
    for state, count in found.counts.items():
        families["holdfast_queue_jobs"].add_metric([queue, state], count)
        age = found.ages.get(state, timedelta())
        if state not in {"completed", "failed"}:
            families["holdfast_queue_oldest_seconds"].add_metric([queue, state], age.total_seconds())
    families["holdfast_workers"].add_metric([queue], found.n_workers)
    families["holdfast_worker_slots"].add_metric([queue], found.slots)
    now_ms = found.read_at.timestamp() * 1000
    for credential, throttle in found.throttles.items():
        closed_ms = max(throttle.get("closed", 0.0), throttle.get("open", 0.0)) - now_ms
        families["holdfast_throttle_failures"].add_metric([credential], throttle.get("failures", 0.0))
        families["holdfast_throttle_open"].add_metric([credential], throttle.get("open", 0.0) > 0)
        families["holdfast_throttle_closed_seconds"].add_metric([credential], max(0.0, closed_ms / 1000))


def _show_work(families: Mapping[str, Any], found: Work) -> None:
    for state in sorted({*STATES, *found.generations}):
        families["holdfast_generations"].add_metric([state], found.generations.get(state, 0))
    for (stage, state), count in sorted(found.units.items()):
        families["holdfast_units"].add_metric([stage, state], count)
    for stage, seconds in sorted(found.owed_seconds.items()):
        families["holdfast_unit_owed_seconds"].add_metric([stage], seconds)


def _show_money(families: Mapping[str, Any], found: Money) -> None:
    for model in sorted({row.model for row in found.spent}):
        of_model = {row.outcome: row for row in found.spent if row.model == model}
        for name, outcome in (("under_way", "intent"), ("in_doubt", "in_doubt")):
            row = of_model.get(outcome)
            calls, usd = (row.n_calls, row.reserved_usd) if row else (0, 0)
            in_doubt = name == "in_doubt"
            families["holdfast_in_doubt_calls" if in_doubt else "holdfast_calls_under_way"].add_metric([model], calls)
            families["holdfast_in_doubt_usd" if in_doubt else "holdfast_reserved_usd"].add_metric([model], float(usd))
        ended = [row for row in of_model.values() if row.outcome not in {"intent", "in_doubt"}]
        for row in ended:
            families["holdfast_ledger_calls"].add_metric([model, row.outcome], row.n_calls)
            families["holdfast_cost_usd"].add_metric([model, row.outcome], float(row.cost_usd))
        for kind in TOKENS:
            families["holdfast_tokens"].add_metric([model, kind], sum(getattr(row, f"{kind}_tokens") for row in ended))
    for budget in found.budgets:
        families["holdfast_budget_usd"].add_metric([budget.cap], float(budget.limit_usd))
        families["holdfast_budget_left_usd"].add_metric([budget.cap], float(budget.left_usd))
