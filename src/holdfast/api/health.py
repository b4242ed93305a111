"""Health: does this process answer, and do its servers?"""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Response

from holdfast.api.bodies import problem_responses
from holdfast.api.bodies_queue import LiveBody, ReadyBody
from holdfast.api.dependencies import TheService
from holdfast.api.problems import problem
from holdfast.errors import HoldfastError, Problem

PATIENCE = 3.0  # seconds a server may take to answer

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> LiveBody:
    """This process is up. It says nothing about the servers it needs."""
    return LiveBody()


@router.get("/ready", responses=problem_responses(), response_model=ReadyBody)
async def ready(service: TheService) -> ReadyBody | Response:
    """The database and Redis answer; 503 says which does not."""
    pings = {"database": service.database.ping, "redis": service.queue.ping}
    found = await asyncio.gather(*(_fault(ping) for ping in pings.values()))
    away = {name: fault for name, fault in zip(pings, found, strict=True) if fault}
    if not away:
        return ReadyBody(checks=dict.fromkeys(pings, "ok"))
    errors = [Problem(path=name, message=fault) for name, fault in away.items()]
    return problem(503, f"away: {', '.join(away)}", errors=errors, headers={"Retry-After": "2"})


async def _fault(ping: Callable[[], Awaitable[None]]) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE):
            await ping()
    except TimeoutError:
        return f"does not answer within {PATIENCE:g} s"
    except HoldfastError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the server cannot be used
        return f"cannot be used ({type(error).__name__})"
    return None
