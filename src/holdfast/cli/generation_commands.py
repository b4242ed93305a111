"""generate, resume, status, table, cancel: what a person does with a generation."""

import logging
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import typer

from holdfast.cli.environment import read_settings
from holdfast.cli.logs import configure_logs
from holdfast.cli.running import run
from holdfast.errors import BadInput
from holdfast.settings import Settings

HIERARCHY_HELP = "flat, two_level (themes of codes), three_level, or adaptive: whichever fits the number of codes."
OUT_HELP = "Where to write the coded table: .xlsx (with the codeframe on a sheet of its own), .csv or .json."

GenerationId = Annotated[str, typer.Argument(metavar="ID", help="The generation's id.")]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="Say nothing until it has ended.")]


def add_to(app: typer.Typer) -> None:
    """Register this file's commands."""
    for command in (generate, resume, status, table, cancel):
        app.command()(command)


def generate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Answers: csv, tsv (also .gz), xlsx or sav.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help=OUT_HELP)],
    text_column: Annotated[str | None, typer.Option(help="Column with the answers; guessed if left out.")] = None,
    id_column: Annotated[str | None, typer.Option(help="Column that names each row; guessed if left out.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of the workbook; the first one if left out.")] = None,
    clusters: Annotated[int | None, typer.Option(help="Number of codes, 2 to 200; estimated if left out.")] = None,
    hierarchy: Annotated[
        Literal["flat", "two_level", "three_level", "adaptive"], typer.Option(help=HIERARCHY_HELP)
    ] = "adaptive",
    min_cluster_size: Annotated[int, typer.Option(help="Answers a code must have when their number is estimated.")] = 5,
    seed: Annotated[int, typer.Option(help="Another seed, another way to break ties.")] = 0,
    no_progress: NoProgress = False,
) -> None:
    """Make a codeframe of a file's answers, and write the table with every answer coded.

    Ctrl-C stops it and loses nothing: `holdfast resume` goes on.
    """
    from holdfast.cli.generating import Order, generate_table  # noqa: PLC0415 - the pipeline takes a second to import

    settings = _quietly()
    order = Order.checked(
        file=file,
        out=out,
        text_column=text_column,
        id_column=id_column,
        sheet=sheet,
        n_clusters=clusters,
        hierarchy=hierarchy,
        min_cluster_size=min_cluster_size,
        seed=seed,
    )
    raise typer.Exit(run(lambda stop: generate_table(settings, order, stop, silent=no_progress)))


def resume(
    generation: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The generation's id; the newest under way if left out.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help=f"{OUT_HELP} As before if left out.")] = None,
    no_progress: NoProgress = False,
) -> None:
    """Go on with a generation that was interrupted; what was done and paid for is not done again."""
    from holdfast.cli.generating import resume_generation  # noqa: PLC0415

    settings = _quietly()
    wanted = None if generation is None else _id(generation)
    raise typer.Exit(run(lambda stop: resume_generation(settings, wanted, out, stop, silent=no_progress)))


def status(
    generation: GenerationId,
    as_json: Annotated[bool, typer.Option("--json", help="As the HTTP API gives it.")] = False,
) -> None:
    """Show where a generation is."""
    from holdfast.cli.looking import show_status  # noqa: PLC0415

    settings, wanted = _quietly(), _id(generation)
    raise typer.Exit(run(lambda _stop: show_status(settings, wanted, as_json=as_json)))


def table(
    generation: GenerationId,
    out: Annotated[Path, typer.Option("--out", "-o", help=OUT_HELP)],
) -> None:
    """Write the coded table of a generation that has ended."""
    from holdfast.cli.looking import write_table  # noqa: PLC0415

    settings, wanted = _quietly(), _id(generation)
    raise typer.Exit(run(lambda _stop: write_table(settings, wanted, out)))


def cancel(generation: GenerationId) -> None:
    """End a generation for good; a call in flight is finished and recorded, nothing more is started."""
    from holdfast.cli.looking import cancel_generation  # noqa: PLC0415

    settings, wanted = _quietly(), _id(generation)
    raise typer.Exit(run(lambda _stop: cancel_generation(settings, wanted)))


def _quietly() -> Settings:
    settings = read_settings()
    configure_logs(settings, level=logging.WARNING)
    return settings


def _id(given: str) -> UUID:
    try:
        return UUID(given)
    except ValueError:
        raise BadInput(
            f"{given!r} is no generation id; it looks like 0f8e…-…, as `holdfast generate` printed it"
        ) from None
