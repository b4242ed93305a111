"""Prometheus metrics and OpenTelemetry spans; needs `pip install "holdfast[telemetry]"`.

Nothing of the queue knows of this module: a worker takes it as `around=[…]`, and what is not asked for costs nothing.
"""

from holdfast.queue.metrics import SECONDS, Metrics
from holdfast.queue.tracing import Tracing

__all__ = ["SECONDS", "Metrics", "Tracing"]
