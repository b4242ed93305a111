"""Queue: what producers, readers and operators do, put together."""

from holdfast.queue.client.audit import Auditing
from holdfast.queue.client.cancelling import Cancelling
from holdfast.queue.client.clearing import Clearing
from holdfast.queue.client.examining import Examining
from holdfast.queue.client.keeping import Keeping
from holdfast.queue.client.observing import Observing
from holdfast.queue.client.scheduling import Scheduling
from holdfast.queue.client.throttling import Throttling
from holdfast.queue.jobs.options import JobOptions


class Queue(Scheduling, Keeping, Clearing, Cancelling, Auditing, Observing, Throttling, Examining):
    """A queue of jobs in Redis, on Bull 4's keys. Use it as `async with Queue("emails") as queue:`.

    Every call waits at most `max_wait` seconds for Redis and raises QueueUnavailable then.
    """

    def __init__(
        self,
        name: str,
        *,
        url: str = "redis://localhost:6379",
        prefix: str = "bull",
        defaults: JobOptions = JobOptions(),  # noqa: B008 - frozen
        max_wait: float = 5.0,
    ) -> None:
        super().__init__(name, url=url, prefix=prefix, max_wait=max_wait, defaults=defaults)
