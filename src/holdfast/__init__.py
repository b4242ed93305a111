"""Holdfast: codeframes by generations that survive anything, on a durable Redis job queue that speaks Bull 4."""

from importlib.metadata import PackageNotFoundError, version

from holdfast.errors import HoldfastError, LockLost, QueueError, Unrecoverable
from holdfast.queue import Backoff, Job, JobOptions, NewJob, Queue, Retention, Worker

__all__ = [
    "Backoff",
    "HoldfastError",
    "Job",
    "JobOptions",
    "LockLost",
    "NewJob",
    "Queue",
    "QueueError",
    "Retention",
    "Unrecoverable",
    "Worker",
    "__version__",
]

try:
    __version__ = version("holdfast")
except PackageNotFoundError:  # run from a source tree
    __version__ = "0.1.0"
