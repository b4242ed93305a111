"""What is looked at again and again beside the work, whatever one look meets."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from holdfast.errors import QueueUnavailable, Unavailable

log = structlog.get_logger("holdfast.service")


async def again_and_again(
    look: Callable[[], Awaitable[object]], *, what: str, every: float, stopping: asyncio.Event
) -> None:
    """Look at once and then every so many seconds, until `stopping`; a server that is away is tried again."""
    while not stopping.is_set():
        try:
            await look()
        except (QueueUnavailable, Unavailable) as error:
            log.warning(f"{what} waits for a server", error=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is must not take the worker beside it down
            log.error(f"{what} failed, trying again", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every)
