"""Arguments and options that several commands share, and what becomes of them."""

import logging
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

import typer

from holdfast.cli.environment import read_settings
from holdfast.cli.logs import configure_logs
from holdfast.errors import BadInput
from holdfast.settings import Settings

OUT_HELP = (
    "Where to write the coded table: .xlsx (with the codeframe on a sheet of its own), .csv, .json or .sav;"
    " or a report of the codeframe to look at: .html."
)
HIERARCHY_HELP = "flat, two_level (themes of codes), three_level, or adaptive: whichever fits the number of codes."
CODING_HELP = "What to find: themes of any kind, the brands that short answers name, or praise and blame."
EXISTING_HELP = (
    "A code or brand you have already; give it several times for several. A brand: 'Coca-Cola (Coke, Cola)'."
)
MODEL_HELP = (
    "Who writes the labels, or codes brands and sentiments: offline (this machine, for nothing), anthropic:MODEL"
    " or openai:MODEL."
)

GenerationId: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="The generation's id.")]
NoProgress: TypeAlias = Annotated[bool, typer.Option("--no-progress", help="Say nothing until it has ended.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="For a script, as the HTTP API gives it.")]
TextColumn: TypeAlias = Annotated[
    str | None, typer.Option("--text-column", help="Column with the answers; guessed if left out.")
]
Sheet: TypeAlias = Annotated[
    str | None, typer.Option("--sheet", help="Sheet of the workbook; the first one if left out.")
]
Clusters: TypeAlias = Annotated[
    int | None, typer.Option("--clusters", help="Number of codes, 2 to 200; estimated if left out.")
]
HierarchyChoice: TypeAlias = Annotated[
    Literal["flat", "two_level", "three_level", "adaptive"], typer.Option("--hierarchy", help=HIERARCHY_HELP)
]
CodingType: TypeAlias = Annotated[
    Literal["open-ended", "brand", "sentiment"], typer.Option("--coding-type", help=CODING_HELP)
]
ExistingCodes: TypeAlias = Annotated[
    list[str] | None, typer.Option("--existing-code", metavar="NAME", help=EXISTING_HELP)
]
MinClusterSize: TypeAlias = Annotated[
    int, typer.Option("--min-cluster-size", help="Answers a code must have when their number is estimated.")
]
MinSamples: TypeAlias = Annotated[
    int, typer.Option("--min-samples", help="Different answers a code must have when their number is estimated.")
]
Language: TypeAlias = Annotated[
    str, typer.Option("--language", metavar="XX", help="Language of the names a model writes, in two letters.")
]
Examples: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option("--examples", help="Answers whose codes a person confirmed: text and codes; several if given again."),
]
Model: TypeAlias = Annotated[str, typer.Option("--model", "-m", help=MODEL_HELP)]
Batch: TypeAlias = Annotated[
    bool, typer.Option("--batch", help="Buy the calls as a batch: half the price, done within a day.")
]
Review: TypeAlias = Annotated[
    bool, typer.Option("--review", help="Ask the model once more, about all codes: which are one, and the themes.")
]
Whole: TypeAlias = Annotated[
    bool, typer.Option("--whole", help="At most 150 different answers: let the model make the codeframe in one call.")
]
CodeAnswers: TypeAlias = Annotated[
    bool, typer.Option("--code-answers", help="Let the model also code every answer against the finished codeframe.")
]
MapAbove: TypeAlias = Annotated[
    int,
    typer.Option("--map-above", help="Read codes of more different answers in parts before naming them; 0: never."),
]
Budget: TypeAlias = Annotated[
    str | None,
    typer.Option("--budget", metavar="USD", help="The most its calls may cost; it pauses when that is used up."),
]


def quietly() -> Settings:
    """The settings, with logs for warnings only: a person is looking."""
    settings = read_settings()
    configure_logs(settings, level=logging.WARNING)
    return settings


def generation_id(given: str) -> UUID:
    """Raises BadInput."""
    try:
        return UUID(given)
    except ValueError:
        raise BadInput(
            f"{given!r} is no generation id; it looks like 0f8e…-…, as `holdfast generate` printed it"
        ) from None
