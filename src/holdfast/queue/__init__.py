"""A durable job queue for asyncio on Redis, on the keys of Node's Bull 4."""

from holdfast.errors import (
    BadJob,
    JobFailed,
    JobNotFound,
    LockLost,
    NotDurable,
    Postponed,
    ProcessDied,
    QueueError,
    QueueUnavailable,
    ResultTimeout,
    UnfitServer,
    Unrecoverable,
)
from holdfast.queue.client.durability import Durability
from holdfast.queue.client.events import Event
from holdfast.queue.client.examining import Growth, LinkFacts, ServerFacts
from holdfast.queue.client.findings import AuditReport, Finding
from holdfast.queue.client.observing import JobDetails, Overview
from holdfast.queue.client.queue import Queue
from holdfast.queue.client.throttle import Throttle
from holdfast.queue.jobs.backoffs import Backoff
from holdfast.queue.jobs.debounce import Debounce
from holdfast.queue.jobs.job import Job
from holdfast.queue.jobs.options import JobOptions, NewJob, Retention
from holdfast.queue.jobs.repeatables import Repeatable
from holdfast.queue.link.presence import LiveWorker
from holdfast.queue.typed import JobType
from holdfast.queue.work.limiting import RateLimit
from holdfast.queue.work.poolchild import ProcessJob
from holdfast.queue.work.pools import in_process
from holdfast.queue.work.worker import Worker

__all__ = [
    "AuditReport",
    "Backoff",
    "BadJob",
    "Debounce",
    "Durability",
    "Event",
    "Finding",
    "Growth",
    "Job",
    "JobDetails",
    "JobFailed",
    "JobNotFound",
    "JobOptions",
    "JobType",
    "LinkFacts",
    "LiveWorker",
    "LockLost",
    "NewJob",
    "NotDurable",
    "Overview",
    "Postponed",
    "ProcessDied",
    "ProcessJob",
    "Queue",
    "QueueError",
    "QueueUnavailable",
    "RateLimit",
    "Repeatable",
    "ResultTimeout",
    "Retention",
    "ServerFacts",
    "Throttle",
    "UnfitServer",
    "Unrecoverable",
    "Worker",
    "in_process",
]
