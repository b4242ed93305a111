"""Bodies of the queue."""

from datetime import datetime

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
