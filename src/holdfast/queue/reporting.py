"""What the queue says of itself: constant event names, typed fields.

When the application has configured structlog, events go there; otherwise to the standard logger `holdfast.queue`, which
by default shows warnings only.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from holdfast.errors import Postponed

_STANDARD = logging.getLogger("holdfast.queue")


class Reporter:
    """Logs events with fields that are always the same."""

    def __init__(self, **fields: Any) -> None:
        self._fields = fields
        self.listeners: list[Callable[[str, Mapping[str, Any]], None]] = []  # hear each event, whatever is logged

    @property
    def wordy(self) -> bool:
        """Whether anybody reads `info` events: two lines a job cost more than the job's own commands."""
        if structlog.is_configured():
            level = getattr(structlog.get_logger(), "is_enabled_for", None)
            return True if level is None else bool(level(logging.INFO))
        return _STANDARD.isEnabledFor(logging.INFO)

    def info(self, event: str, **fields: Any) -> None:
        """Something that is as it should be."""
        self._say(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Something an operator may want to see."""
        self._say(logging.WARNING, event, fields)

    def _say(self, level: int, event: str, fields: dict[str, Any]) -> None:
        fields = self._fields | fields
        for listener in self.listeners:
            listener(event, fields)
        if structlog.is_configured():
            logger = structlog.get_logger("holdfast.queue")
            (logger.info if level == logging.INFO else logger.warning)(event, **fields)
        else:
            _STANDARD.log(level, "%s %s", event, " ".join(f"{name}={value}" for name, value in fields.items()))


def ended_by(error: BaseException) -> str:
    """How an attempt ended that did not return: by an error, because it was stopped, or because it was too early."""
    if isinstance(error, Postponed):
        return "postponed"
    return "raised" if isinstance(error, Exception) else "stopped"
