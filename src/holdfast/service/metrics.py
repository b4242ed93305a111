"""Prometheus metrics of one process: what it did itself. What its servers hold is scraping.py's."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from holdfast import __version__
from holdfast.queue.metrics import SECONDS
from holdfast.queue.metrics import Metrics as QueueMetrics
from holdfast.service.stages import STAGES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters and histograms, in a registry of their own: two services in one process do not meet in it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.queue = QueueMetrics(registry=self.registry)
        place: Any = {"registry": self.registry, "namespace": "holdfast"}
        Gauge("build_info", "Always 1; its label says which version runs", ["version"], **place).labels(
            __version__
        ).set(1)
        self._units = Histogram(
            "unit_seconds", "What attempts at units took", ["stage", "outcome"], buckets=SECONDS, **place
        )
        self._steps = Counter("steps", "Runs of steps, by what became of them", ["step", "outcome"], **place)
        self._calls = Histogram(
            "call_seconds", "What calls to models took", ["model", "outcome"], buckets=SECONDS, **place
        )
        self._enqueued = Counter("reconciler_enqueued", "Units owed that had no live job and got one", **place)
        self._orphans = Counter("reconciler_orphans", "Jobs found in no list of the queue, added again", **place)
        self._given_up = Counter("reconciler_given_up", "Units ended because their job had failed for good", **place)
        self._looks = Counter("reconciler_looks", "Looks of the reconciler at everything that is owed", **place)
        self._left_alone = Gauge(
            "reconciler_left_alone_jobs",
            "Jobs that are no unit's of this database, by kind: named as a unit's (no_unit), or otherwise (not_ours)",
            ["kind"],
            **place,
        )
        for stage in STAGES:
            self._units.labels(stage, "done")  # there with 0: a rate sees the first one, too

    def unit_ended(self, stage: str, outcome: str, seconds: float) -> None:
        """An attempt at a unit has ended: done | failed | postponed | stopped."""
        self._units.labels(stage, outcome).observe(seconds)

    def step_ended(self, step: str, outcome: str) -> None:
        """A step was made | replayed | held | refused | failed."""
        self._steps.labels(step, outcome).inc()

    def call_ended(self, model: str, outcome: str, seconds: float) -> None:
        """A call was answered, or ended in this error, or was stopped."""
        self._calls.labels(model, outcome).observe(seconds)

    def reconciled(self, *, enqueued: int, orphans: int, given_up: int) -> None:
        """The reconciler has had a look."""
        self._enqueued.inc(enqueued)
        self._orphans.inc(orphans)
        self._given_up.inc(given_up)

    def looked(self) -> None:
        """The reconciler has seen everything that is owed."""
        self._looks.inc()

    def left_alone(self, *, no_unit: int, not_ours: int) -> None:
        """So many jobs of no unit are there now."""
        self._left_alone.labels("no_unit").set(no_unit)
        self._left_alone.labels("not_ours").set(not_ours)

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self.registry)
