"""Log records of this process: to stderr, for people or as JSON."""

import logging
import sys
from typing import Any

import structlog

from holdfast.settings import Settings


class _Stderr:
    """Whatever sys.stderr is when a line is written: a live progress bar puts itself in its place."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _ToStructlog(logging.Handler):
    """Records of libraries go where ours go."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger(record.name).log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def configure_logs(settings: Settings, *, level: int = logging.INFO) -> None:
    """To be called once; commands that talk to a person have a higher `level`."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_rendering(settings),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=_Stderr()),  # type: ignore[arg-type] # write and flush do
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(level + 10, logging.WARNING), handlers=[_ToStructlog()], force=True)


def _rendering(settings: Settings) -> list[Any]:
    if settings.log == "json":
        return [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain, pad_event_to=32)]
