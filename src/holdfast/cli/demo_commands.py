"""demo: see it survive."""

import logging
from typing import Annotated

import typer

from holdfast.cli.environment import read_settings
from holdfast.cli.logs import configure_logs
from holdfast.cli.running import run


def add_to(app: typer.Typer) -> None:
    """Register this file's command."""
    app.command()(demo)


def demo(
    serve: Annotated[bool, typer.Option("--serve", help="Stay up afterwards, with the API.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the data, to look at it with `holdfast status`.")] = False,
) -> None:
    """Code 1,000 real answers while a worker and then Redis are killed.

    Needs no key and no server; the exit code says whether nothing was lost and nothing done twice.
    """
    from holdfast.cli.demonstrating import demonstrate  # noqa: PLC0415

    settings = read_settings()
    configure_logs(settings, level=logging.ERROR)  # what the servers go through is the story
    raise typer.Exit(run(lambda stop: demonstrate(settings, stop, serve=serve, keep=keep)))
