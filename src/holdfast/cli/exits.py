"""How a command ends: its exit code, and the one line that says why."""

import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from holdfast.errors import BadInput, HoldfastError, NotConfigured, NotFound

FAILED = 1
WRONG_USE = 2  # the one who typed the command can mend it
INTERRUPTED = 130


def complain(message: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"error: {' '.join(message.split())}\n")


def the_cause(error: BaseException) -> BaseException:
    """What really happened, out of the groups that task groups put around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def exit_code(error: HoldfastError) -> int:
    """2 for what the caller can mend, else 1."""
    return WRONG_USE if isinstance(error, BadInput | NotConfigured | NotFound) else FAILED


def explain(error: BaseException, *, debug: bool, logs: Path | None) -> int:
    """Say what ended the command and return its exit code; a trace is shown only with HOLDFAST_DEBUG=1."""
    cause = the_cause(error)
    if debug:
        traceback.print_exception(error)
    if not isinstance(cause, Exception):  # Ctrl-C; a second one ends the event loop's own clean-up as CancelledError
        return INTERRUPTED
    if isinstance(cause, HoldfastError):
        complain(str(cause))
        return exit_code(cause)
    if isinstance(cause, ModuleNotFoundError) and (cause.name or "holdfast").split(".")[0] != "holdfast":
        complain(f'{cause.name} is not installed; this command needs the service: pip install "holdfast[app]"')
        return WRONG_USE
    complain(f"{_unexpected(cause)}; {'see the trace above' if debug else _kept(error, logs)}")
    return FAILED


def _unexpected(cause: BaseException) -> str:
    # Only the kind: the message of a foreign error may hold an answer's text.
    return f"something unexpected happened ({type(cause).__name__})"


def _kept(error: BaseException, logs: Path | None) -> str:
    """Where the trace was put; it may quote data, so only its owner may read it."""
    hint = "set HOLDFAST_DEBUG=1 to see the trace"
    if logs is None:
        return hint
    path = logs / f"error-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.log"
    try:
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError:
        return hint
    return f"the trace is in {path}"
