"""suggest: what to confirm; code: the next wave, with last wave's frame."""

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import options
from holdfast.cli.options import generation_id, quietly
from holdfast.cli.running import run


def add_to(app: typer.Typer) -> None:
    """Register this file's commands."""
    for command in (suggest, code):
        app.command()(command)


def suggest(
    generation: options.GenerationId,
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The table to fill in: .xlsx (with the codes), .csv, .json.")
    ],
    number: Annotated[int, typer.Option("--number", "-n", help="How many answers, 1 to 500.")] = 50,
    examples: Annotated[
        list[Path] | None, typer.Option("--examples", help="Tables filled in before; several if given several times.")
    ] = None,
) -> None:
    """Write the answers whose codes are best confirmed next, for a person to fill in.

    Put names or numbers of codes into the column `codes` (several between |, or Other). Rows left empty count as not
    confirmed. `holdfast code --examples` reads the table as it is.
    """
    from holdfast.cli.suggesting import Asked, write_suggestions  # noqa: PLC0415 - the pipeline takes a second to import

    settings, wanted = quietly(), generation_id(generation)
    asked = Asked(generation_id=wanted, out=out, number=number, examples=tuple(examples or ()))
    raise typer.Exit(run(lambda _stop: write_suggestions(settings, asked)))


def code(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new answers: csv, tsv (also .gz), xlsx or sav.")],
    *,
    frame: Annotated[Path, typer.Option("--frame", help="Last wave, from `holdfast table ID --out FRAME.json`.")],
    out: Annotated[Path, typer.Option("--out", "-o", help=options.OUT_HELP)],
    examples: Annotated[
        Path | None, typer.Option("--examples", help="Answers whose codes a person confirmed: text and codes.")
    ] = None,
    text_column: options.TextColumn = None,
) -> None:
    """Code new answers with a frame there is: same codes, same numbers; says what moved and what is new.

    Runs in this process, offline: no server, no key. Answers that fit no code end in Other.
    """
    from holdfast.cli.coding import Coding, code_file  # noqa: PLC0415 - the pipeline takes a second to import
    from holdfast.cli.orders import checked_out  # noqa: PLC0415

    settings = quietly()
    asked = Coding(
        file=file, frame=frame, examples=examples, out=checked_out(out, source=file), text_column=text_column
    )
    raise typer.Exit(code_file(settings, asked))
