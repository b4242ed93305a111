"""evaluate: our coding beside a person's."""

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import options


def add_to(app: typer.Typer) -> None:
    """Register this file's command."""
    app.command()(evaluate)


def evaluate(
    coded: Annotated[Path, typer.Argument(metavar="CODED", help="What we coded: a table from `holdfast generate`.")],
    *,
    against: Annotated[Path, typer.Option("--against", help="What a person coded: csv, tsv, xlsx, sav or our json.")],
    codes_column: Annotated[
        str | None, typer.Option(help="Column with the codes in CODED; guessed if left out.")
    ] = None,
    against_column: Annotated[str | None, typer.Option(help="The same in the person's file.")] = None,
    id_column: Annotated[str | None, typer.Option(help="Column with the ids, in both; guessed if left out.")] = None,
    match: Annotated[
        bool, typer.Option("--match", help="Their codes have other names: find which of ours stands for which first.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Compare a coding with a person's: precision, recall, F1, kappa, alpha, each code, what is confused.

    Answers are matched by id, else by text. An answer to which the person gave no code is left out.
    """
    from holdfast.cli.evaluating import Sides, show_evaluation  # noqa: PLC0415 - scipy takes a second to import

    sides = Sides(
        coded=coded, against=against, codes_column=codes_column, against_column=against_column, id_column=id_column
    )
    raise typer.Exit(show_evaluation(sides, match=match, as_json=as_json))
