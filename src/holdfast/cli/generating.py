"""From a file to a coded table, in this process; interrupted at any point, it can be gone on with."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from rich.console import Console

from holdfast.cli.driving import Run
from holdfast.cli.orders import Order
from holdfast.cli.running import Stop, unless_stopped
from holdfast.cli.screen import screen
from holdfast.cli.words import counted, plain
from holdfast.errors import BadInput
from holdfast.service import MIN_ANSWERS, Generation, GenerationRequest, Service, open_service
from holdfast.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """How to go on with a generation."""

    out: Path | None  # where its table goes; None: where it was to go before
    budget: Decimal | None  # None: as before


async def generate_table(settings: Settings, order: Order, stop: Stop, *, silent: bool) -> int:
    """`holdfast generate`."""
    console = screen()
    _tell_where(console, settings)
    async with open_service(settings) as service:
        importing = service.imports.import_as_category(order.file, at_least=MIN_ANSWERS)
        if (imported := await unless_stopped(importing, stop)) is None:
            console.print("stopped; nothing was kept")
            return stop.exit_code
        category, done = imported
        console.print(
            f"{plain(done.source)}: {counted(done.n_added, 'answer')} from column {plain(done.text_column)!r}"
        )
        for note in done.notes:
            console.print(f"note: {plain(note)}")
        older = await service.generations.under_way()
        request = GenerationRequest(
            category_id=category.id, config=order.config, budget=order.budget, client={"out": str(order.out)}
        )
        created = await service.generations.start(request)
        _tell_of_another(console, older, created.generation.id)
        run = Run(service=service, generation_id=created.generation.id, out=order.out, console=console)
        return await run.to_the_end(stop, silent=silent)


async def resume_generation(
    settings: Settings, generation_id: UUID | None, going: Going, stop: Stop, *, silent: bool
) -> int:
    """`holdfast resume`."""
    console = screen()
    _tell_where(console, settings)
    async with open_service(settings) as service:
        found = await _found(service, generation_id)
        if found.state == "paused" or (going.budget is not None and found.state == "active"):
            await service.steering.resume(found.id, budget=going.budget)
        return await _go_on(service, found, going, console, stop, silent=silent)


async def retry_generation(settings: Settings, generation_id: UUID, going: Going, stop: Stop, *, silent: bool) -> int:
    """`holdfast retry`."""
    console = screen()
    _tell_where(console, settings)
    async with open_service(settings) as service:
        found = await service.generations.get(generation_id)
        n_retried = await service.steering.retry(found.id, budget=going.budget)
        console.print(f"{counted(n_retried, 'failed unit')} owed once more")
        return await _go_on(service, found, going, console, stop, silent=silent)


async def _found(service: Service, generation_id: UUID | None) -> Generation:
    if generation_id is not None:
        return await service.generations.get(generation_id)
    found = await service.generations.under_way()
    if found is None:
        raise BadInput("no generation is under way; `holdfast table ID` writes the table of one that has ended")
    return found


async def _go_on(
    service: Service, found: Generation, going: Going, console: Console, stop: Stop, *, silent: bool
) -> int:
    _tell_of_another(console, await service.generations.under_way(), found.id)
    remembered = (found.client or {}).get("out")
    path = going.out or (Path(remembered) if remembered else None)
    run = Run(service=service, generation_id=found.id, out=path, console=console)
    return await run.to_the_end(stop, silent=silent)


def _tell_where(console: Console, settings: Settings) -> None:
    # Our own servers take a few seconds to start: a person should see that something happens, and where.
    if settings.redis_url is None or settings.database_url is None:
        console.print(f"data folder {settings.home}", soft_wrap=True)


def _tell_of_another(console: Console, other: Generation | None, ours: UUID) -> None:
    # The worker in this process takes whatever is owed: a person should know why it is slow, and how to end that.
    if other is not None and other.id != ours and other.state == "active":
        console.print(
            f"also going on with another generation: {other.id} (holdfast cancel {other.id} ends it)", soft_wrap=True
        )
