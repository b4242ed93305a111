"""The command `holdfast`: the only place that starts things."""

# Nothing slow is imported up here: until `main` runs, Ctrl-C is a stack trace.
import os
import signal
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; `--version` works with the queue's few dependencies alone."""
    _leave_silently_when_interrupted()
    from holdfast.cli.exits import WRONG_USE, complain  # noqa: PLC0415

    if sys.argv[1:] in (["--version"], ["-V"]):
        from holdfast import __version__  # noqa: PLC0415

        sys.stdout.write(f"holdfast {__version__}\n")
        return
    try:
        from holdfast.cli.app import run_app  # noqa: PLC0415 - needs the app extra
        from holdfast.cli.threads import leave  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "holdfast":
            raise
        complain(f'{error.name} is not installed; this command needs the service: pip install "holdfast[app]"')
        sys.exit(WRONG_USE)
    leave(run_app())


def _leave_silently_when_interrupted() -> None:
    """Until an event loop owns the signals (running.py) there is nothing to clean up; a shell's nohup or `&` stands."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
