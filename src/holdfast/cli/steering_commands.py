"""pause, cancel, resolve: what a person decides about a generation that others work on."""

from typing import Annotated
from uuid import UUID

import typer

from holdfast.cli import options
from holdfast.cli.options import generation_id, quietly
from holdfast.cli.running import run
from holdfast.errors import BadInput


def add_to(app: typer.Typer) -> None:
    """Register this file's commands."""
    for command in (pause, cancel, resolve):
        app.command()(command)


def pause(generation: options.GenerationId) -> None:
    """Start nothing more of a generation until `holdfast resume`; a call in flight is finished and recorded."""
    from holdfast.cli.steering import pause_generation  # noqa: PLC0415 - the service takes a second to import

    settings, wanted = quietly(), generation_id(generation)
    raise typer.Exit(run(lambda _stop: pause_generation(settings, wanted)))


def cancel(generation: options.GenerationId) -> None:
    """End a generation for good; a call in flight is finished and recorded, nothing more is started."""
    from holdfast.cli.steering import cancel_generation  # noqa: PLC0415

    settings, wanted = quietly(), generation_id(generation)
    raise typer.Exit(run(lambda _stop: cancel_generation(settings, wanted)))


def resolve(
    generation: options.GenerationId,
    call: Annotated[
        list[str] | None, typer.Option("--call", metavar="ID", help="A call in doubt; all of them if left out.")
    ] = None,
    cost: Annotated[
        str | None,
        typer.Option(
            metavar="USD", help="What each was billed, 0 if it is not on the bill; else what it had reserved."
        ),
    ] = None,
    give_up: Annotated[bool, typer.Option("--give-up", help="Let the clusters held for them fail.")] = False,
) -> None:
    """Say what became of calls in doubt, as the provider's own bill has it; clusters held for them go on."""
    from holdfast.cli.orders import usd  # noqa: PLC0415
    from holdfast.cli.steering import Settling, resolve_generation  # noqa: PLC0415

    settings, wanted = quietly(), generation_id(generation)
    settling = Settling(
        calls=[_call_id(each) for each in call] if call else None,
        cost=usd(cost),
        then="give_up" if give_up else "repeat",
    )
    raise typer.Exit(run(lambda _stop: resolve_generation(settings, wanted, settling)))


def _call_id(given: str) -> UUID:
    try:
        return UUID(given)
    except ValueError:
        raise BadInput(f"{given!r} is no call's id; `holdfast costs ID` lists a generation's calls") from None
