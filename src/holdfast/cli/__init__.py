"""The command `holdfast`: the only place that starts things."""

import sys

from holdfast import __version__
from holdfast.cli.exits import WRONG_USE, complain

__all__ = ["main"]


def main() -> None:
    """Run the command line; `--version` works with the queue's few dependencies alone."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"holdfast {__version__}\n")
        return
    try:
        from holdfast.cli.app import run_app  # noqa: PLC0415 - needs the app extra
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "holdfast":
            raise
        complain(f'{error.name} is not installed; this command needs the service: pip install "holdfast[app]"')
        sys.exit(WRONG_USE)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(run_app())
