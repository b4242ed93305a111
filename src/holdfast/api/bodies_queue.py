"""Bodies of the queue and of health."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from holdfast.api.bodies import Body


class CountsBody(Body):
    """Jobs by state."""

    wait: int
    active: int
    completed: int
    failed: int
    delayed: int
    paused: int


class WorkerBody(Body):
    """A worker that is alive."""

    id: str
    host: str
    pid: int
    concurrency: int = Field(description="Jobs it runs at once")
    started_at: datetime


class QueueBody(Body):
    """The queue, as Redis holds it now."""

    name: str
    counts: CountsBody
    n_workers: int
    workers: tuple[WorkerBody, ...]


class LiveBody(Body):
    """This process answers."""

    status: Literal["live"] = "live"


class ReadyBody(Body):
    """Everything that is needed answers."""

    status: Literal["ready"] = "ready"
    checks: dict[str, Literal["ok"]] = Field(examples=[{"database": "ok", "redis": "ok"}])
