"""A durable job queue for asyncio on Redis, on the keys of Node's Bull 4."""

from holdfast.errors import (
    BadJob,
    JobFailed,
    JobNotFound,
    LockLost,
    NotDurable,
    ProcessDied,
    QueueError,
    QueueUnavailable,
    ResultTimeout,
    UnfitServer,
    Unrecoverable,
)
from holdfast.queue.backoffs import Backoff
from holdfast.queue.debounce import Debounce
from holdfast.queue.durability import Durability
from holdfast.queue.events import Event
from holdfast.queue.findings import AuditReport, Finding
from holdfast.queue.job import Job
from holdfast.queue.limiting import RateLimit
from holdfast.queue.observing import JobDetails, Overview
from holdfast.queue.options import JobOptions, NewJob, Retention
from holdfast.queue.poolchild import ProcessJob
from holdfast.queue.pools import in_process
from holdfast.queue.presence import LiveWorker
from holdfast.queue.queue import Queue
from holdfast.queue.repeatables import Repeatable
from holdfast.queue.typed import JobType
from holdfast.queue.worker import Worker

__all__ = [
    "AuditReport",
    "Backoff",
    "BadJob",
    "Debounce",
    "Durability",
    "Event",
    "Finding",
    "Job",
    "JobDetails",
    "JobFailed",
    "JobNotFound",
    "JobOptions",
    "JobType",
    "LiveWorker",
    "LockLost",
    "NewJob",
    "NotDurable",
    "Overview",
    "ProcessDied",
    "ProcessJob",
    "Queue",
    "QueueError",
    "QueueUnavailable",
    "RateLimit",
    "Repeatable",
    "ResultTimeout",
    "Retention",
    "UnfitServer",
    "Unrecoverable",
    "Worker",
    "in_process",
]
