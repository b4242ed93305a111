"""The command line as a whole: which commands there are, and what happens to their errors."""

from pathlib import Path

import typer

from holdfast import __version__
from holdfast.cli import (
    coding_commands,
    demo_commands,
    doctor_commands,
    drill_commands,
    evaluation_commands,
    generation_commands,
    money_commands,
    queue_commands,
    server_commands,
    steering_commands,
)
from holdfast.cli.environment import debugging, read_settings
from holdfast.cli.exits import explain
from holdfast.errors import HoldfastError

app = typer.Typer(
    name="holdfast",
    help="Turn open-ended survey answers into a codeframe, by generations that survive anything.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for commands in (
    generation_commands,
    steering_commands,
    money_commands,
    server_commands,
    queue_commands,
    demo_commands,
    drill_commands,
    doctor_commands,
    evaluation_commands,
    coding_commands,
):
    commands.add_to(app)


def run_app() -> int:
    """Run the command line; returns the exit code, and never lets a stack trace out."""
    try:
        app(prog_name="holdfast")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except BaseException as error:  # noqa: BLE001 - the edge: nothing is above it
        return explain(error, debug=debugging(), logs=_logs())
    return 0


def _logs() -> Path | None:
    try:
        return read_settings().home / "logs"
    except HoldfastError:
        return None


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"holdfast {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", "-V", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    pass
