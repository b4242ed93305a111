"""Holdfast: codeframes by generations that survive anything, on a durable Redis job queue that speaks Bull 4."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.errors import HoldfastError, LockLost, QueueError, Unrecoverable
    from holdfast.queue import Backoff, Job, JobOptions, NewJob, Queue, Retention, Worker

    __version__: str

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

_ERRORS = frozenset({"HoldfastError", "LockLost", "QueueError", "Unrecoverable"})


# Lazy: the command must hear Ctrl-C before the Redis client is loaded (tests/unit/cli/test_interrupted.py).
def __getattr__(name: str) -> Any:
    """A public name, loaded when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value = (
        _version()
        if name == "__version__"
        else getattr(import_module("holdfast.errors" if name in _ERRORS else "holdfast.queue"), name)
    )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("holdfast")
    except PackageNotFoundError:  # run from a source tree
        return "0.1.0"
