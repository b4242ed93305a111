"""generate, resume, retry, status, table: what a person does to get a codeframe."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from holdfast.cli import options
from holdfast.cli.options import generation_id, quietly
from holdfast.cli.running import run

Generation = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="The generation's id; the newest under way if left out.")
]
OutAgain = Annotated[Path | None, typer.Option("--out", "-o", help=f"{options.OUT_HELP} As before if left out.")]


def add_to(app: typer.Typer) -> None:
    """Register this file's commands."""
    for command in (generate, resume, retry, status, table):
        app.command()(command)


def generate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Answers: csv, tsv (also .gz), xlsx or sav.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help=options.OUT_HELP)],
    text_column: options.TextColumn = None,
    id_column: Annotated[str | None, typer.Option(help="Column that names each row; guessed if left out.")] = None,
    sheet: options.Sheet = None,
    coding_type: options.CodingType = "open-ended",
    existing_code: options.ExistingCodes = None,
    examples: options.Examples = None,
    frame_of: Annotated[
        str | None, typer.Option(metavar="ID", help="Code with that generation's codes and confirmed answers.")
    ] = None,
    clusters: options.Clusters = None,
    hierarchy: options.HierarchyChoice = "adaptive",
    min_cluster_size: options.MinClusterSize = 5,
    min_samples: options.MinSamples = 3,
    language: options.Language = "en",
    seed: Annotated[int, typer.Option(help="Another seed, another way to break ties.")] = 0,
    model: options.Model = "offline",
    batch: options.Batch = False,
    review: options.Review = False,
    code_answers: options.CodeAnswers = False,
    whole: options.Whole = False,
    map_above: options.MapAbove = 500,
    budget: options.Budget = None,
    in_doubt: Annotated[
        Literal["repeat", "hold"],
        typer.Option(help="A call of which nobody knows if it was billed: repeat it, or hold its cluster and ask."),
    ] = "repeat",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree to what it may cost.")] = False,
    no_progress: options.NoProgress = False,
) -> None:
    """Make a codeframe of a file's answers, and write the table with every answer coded.

    With --examples their codes are the codeframe; with --frame-of those of a generation, which then learns from both.
    Ctrl-C stops it and loses nothing: `holdfast resume` goes on. What a model's labels may cost is said before.
    """
    from holdfast.cli.buying import agree  # noqa: PLC0415 - the pipeline takes a second to import
    from holdfast.cli.coding import read_examples  # noqa: PLC0415
    from holdfast.cli.generating import generate_table  # noqa: PLC0415
    from holdfast.cli.orders import Order, asked_config, usd  # noqa: PLC0415
    from holdfast.service import FileToImport  # noqa: PLC0415

    settings = quietly()
    config = asked_config(
        clusters=clusters,
        existing_code=existing_code,
        language=language,
        examples=tuple(row for each in examples or () for row in read_examples(each)),
        frame_of=None if frame_of is None else str(generation_id(frame_of)),
        hierarchy=hierarchy,
        min_cluster_size=min_cluster_size,
        min_samples=min_samples,
        seed=seed,
        model=model,
        batch=batch,
        review=review,
        code_answers=code_answers,
        whole=whole,
        map_above=map_above,
        in_doubt=in_doubt,
        coding_type=coding_type,
    )
    source = FileToImport(path=file, text_column=text_column, id_column=id_column, sheet=sheet)
    order = Order.checked(settings, file=source, config=config, out=out, budget=usd(budget))
    if not agree(settings, order, yes=yes):
        raise typer.Exit(1)
    raise typer.Exit(run(lambda stop: generate_table(settings, order, stop, silent=no_progress)))


def resume(
    generation: Generation = None,
    out: OutAgain = None,
    budget: options.Budget = None,
    no_progress: options.NoProgress = False,
) -> None:
    """Go on with a generation that was interrupted or paused; what was done and paid for is not done again."""
    from holdfast.cli.generating import Going, resume_generation  # noqa: PLC0415
    from holdfast.cli.orders import checked_out, usd  # noqa: PLC0415

    settings = quietly()
    wanted = None if generation is None else generation_id(generation)
    going = Going(out=None if out is None else checked_out(out), budget=usd(budget))
    raise typer.Exit(run(lambda stop: resume_generation(settings, wanted, going, stop, silent=no_progress)))


def retry(
    generation: options.GenerationId,
    out: OutAgain = None,
    budget: options.Budget = None,
    no_progress: options.NoProgress = False,
) -> None:
    """Try once more what failed in a generation that ended as partial or failed, and write its table anew."""
    from holdfast.cli.generating import Going, retry_generation  # noqa: PLC0415
    from holdfast.cli.orders import checked_out, usd  # noqa: PLC0415

    settings, wanted = quietly(), generation_id(generation)
    going = Going(out=None if out is None else checked_out(out), budget=usd(budget))
    raise typer.Exit(run(lambda stop: retry_generation(settings, wanted, going, stop, silent=no_progress)))


def status(generation: options.GenerationId, as_json: options.AsJson = False) -> None:
    """Show where a generation is, what it has cost, and how it goes on."""
    from holdfast.cli.looking import show_status  # noqa: PLC0415

    settings, wanted = quietly(), generation_id(generation)
    raise typer.Exit(run(lambda _stop: show_status(settings, wanted, as_json=as_json)))


def table(
    generation: options.GenerationId,
    out: Annotated[Path, typer.Option("--out", "-o", help=options.OUT_HELP)],
) -> None:
    """Write the coded table of a generation that has ended."""
    from holdfast.cli.looking import write_table  # noqa: PLC0415

    settings, wanted = quietly(), generation_id(generation)
    raise typer.Exit(run(lambda _stop: write_table(settings, wanted, out)))
