"""Watch a generation while it is worked on."""

import asyncio
from uuid import UUID

from holdfast.cli.progress import View
from holdfast.cli.running import Stop
from holdfast.errors import Unavailable
from holdfast.service import Service, Status

LOOK_EVERY = 0.2  # seconds


async def watch_with_worker(service: Service, generation_id: UUID, stop: Stop, shown: View) -> Status:
    """Work on it in this process until it has ended, waits for a person, or the user wants to stop; its last status."""
    status = await service.generations.status(generation_id)
    if _is_over(status):
        return status
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run_worker(stopping))
        try:
            status = await watch(service, generation_id, stop, shown)
            if not _is_over(status):
                shown.say("stopping: what is running now is finished or given back")
        finally:
            stopping.set()
    return await service.generations.status(generation_id)


async def watch(service: Service, generation_id: UUID, stop: Stop, shown: View) -> Status:
    """Show how far it is until it has ended, waits for a person, or the user wants to stop."""
    status = await service.generations.status(generation_id)
    told = False
    while True:
        shown.show(status)
        if _is_over(status) or await stop.within(LOOK_EVERY):
            return status
        try:
            status, told = await service.generations.status(generation_id), False
        except Unavailable as error:
            if not told:
                shown.say(f"{error}; waiting for it")
            told = True


def _is_over(status: Status) -> bool:
    """Whether nothing more will happen by itself."""
    return status.ended or status.status == "paused"
