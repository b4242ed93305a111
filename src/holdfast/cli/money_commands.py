"""estimate, costs: money before and after."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from holdfast.cli import options
from holdfast.cli.options import generation_id, quietly
from holdfast.cli.running import run
from holdfast.errors import BadInput

WHEN_HELP = "Calls begun then or later: a day or a time, UTC."


def add_to(app: typer.Typer) -> None:
    """Register this file's commands."""
    for command in (estimate, costs):
        app.command()(command)


def estimate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Answers: csv, tsv (also .gz), xlsx or sav.")],
    *,
    model: options.Model,
    text_column: options.TextColumn = None,
    sheet: options.Sheet = None,
    coding_type: options.CodingType = "open-ended",
    existing_code: options.ExistingCodes = None,
    clusters: options.Clusters = None,
    hierarchy: options.HierarchyChoice = "adaptive",
    min_cluster_size: options.MinClusterSize = 5,
    language: options.Language = "en",
    batch: options.Batch = False,
    review: options.Review = False,
    code_answers: options.CodeAnswers = False,
    whole: options.Whole = False,
    map_above: options.MapAbove = 500,
) -> None:
    """Say what a codeframe of a file's answers may cost. Starts nothing and needs no key."""
    from holdfast.cli.buying import show_estimate  # noqa: PLC0415 - the pipeline takes a second to import
    from holdfast.cli.orders import asked_config, checked_file  # noqa: PLC0415
    from holdfast.service import FileToImport  # noqa: PLC0415

    settings = quietly()
    config = asked_config(
        clusters=clusters,
        existing_code=existing_code,
        language=language,
        hierarchy=hierarchy,
        min_cluster_size=min_cluster_size,
        model=model,
        batch=batch,
        review=review,
        coding_type=coding_type,
        code_answers=code_answers,
        whole=whole,
        map_above=map_above,
    )
    show_estimate(settings, checked_file(FileToImport(path=file, text_column=text_column, sheet=sheet)), config)


def costs(
    generation: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A generation, call by call; totals of all if left out.")
    ] = None,
    *,
    by: Annotated[
        Literal["generation", "model", "key", "day", "month"], typer.Option(help="How totals are grouped.")
    ] = "month",
    since: Annotated[str | None, typer.Option("--from", metavar="WHEN", help=WHEN_HELP)] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="WHEN", help="Calls begun before that.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what calls have cost, those of deleted generations and failed ones too; what is in doubt is apart."""
    from holdfast.cli.accounting import show_calls, show_totals  # noqa: PLC0415

    settings = quietly()
    if generation is not None:
        wanted = generation_id(generation)
        raise typer.Exit(run(lambda _stop: show_calls(settings, wanted, as_json=as_json)))
    between = (_when(since), _when(until))
    raise typer.Exit(run(lambda _stop: show_totals(settings, by, between, as_json=as_json)))


def _when(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        read = datetime.fromisoformat(given)
    except ValueError:
        raise BadInput(f"{given!r} is no day or time; write it as 2026-11-25 or 2026-11-25T09:30") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
