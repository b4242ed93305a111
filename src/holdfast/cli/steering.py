"""Pause and end a generation, and settle its calls in doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from holdfast.cli.screen import screen
from holdfast.cli.standing import compared, going_on
from holdfast.cli.words import counted
from holdfast.service import Then, open_service
from holdfast.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """What is said of calls in doubt."""

    calls: Sequence[UUID] | None  # None: all of them
    cost: Decimal | None  # of each; None: what it had reserved
    then: Then


async def pause_generation(settings: Settings, generation_id: UUID) -> int:
    """`holdfast pause`."""
    async with open_service(settings) as service:
        await service.steering.pause(generation_id)
    screen().print(f"generation {generation_id} is paused; go on with: holdfast resume {generation_id}", soft_wrap=True)
    return 0


async def cancel_generation(settings: Settings, generation_id: UUID) -> int:
    """`holdfast cancel`."""
    async with open_service(settings) as service:
        await service.steering.cancel(generation_id)
    screen().print(f"generation {generation_id} is cancelled")
    return 0


async def resolve_generation(settings: Settings, generation_id: UUID, settling: Settling) -> int:
    """`holdfast resolve`."""
    console = screen()
    async with open_service(settings) as service:
        done = await service.steering.resolve(
            generation_id, calls=settling.calls, cost=settling.cost, then=settling.then
        )
        status = await service.generations.status(generation_id)
    console.print(f"{counted(len(done.settled), 'call')} settled; {compared(status)}", soft_wrap=True)
    if done.n_given_up:
        console.print(f"{counted(done.n_given_up, 'cluster')} given up")
    if not status.ended:
        console.print(f"go on with: {going_on(status)}", soft_wrap=True)
    return 0
