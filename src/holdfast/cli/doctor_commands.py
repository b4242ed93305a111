"""doctor: the deployment checklist."""

import logging
from typing import Annotated

import typer

from holdfast.cli.environment import read_settings
from holdfast.cli.logs import configure_logs
from holdfast.cli.running import run


def add_to(app: typer.Typer) -> None:
    """Register this file's commands."""
    app.command()(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For a script.")] = False,
) -> None:
    """Check this deployment: what may be lost, what is open, what is full, each with its fix.

    Looks and changes nothing. The exit code is 1 if something fails; a server that is away is such a line.
    """
    from holdfast.cli.doctoring import show_checklist  # noqa: PLC0415 - the service takes a second to import

    settings = read_settings()
    configure_logs(settings, level=logging.ERROR)
    raise typer.Exit(run(lambda stop: show_checklist(settings, stop, as_json=as_json)))
