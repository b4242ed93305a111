"""The queue as Redis holds it."""

import asyncio
from dataclasses import asdict

from fastapi import APIRouter

from holdfast.api.bodies import problem_responses
from holdfast.api.bodies_queue import CountsBody, QueueBody, WorkerBody
from holdfast.api.dependencies import TheService

router = APIRouter(tags=["queue"])


@router.get("/queue", responses=problem_responses())
async def look_at_queue(service: TheService) -> QueueBody:
    """Jobs by state, and the workers that are alive."""
    counts, workers = await asyncio.gather(service.queue.counts(), service.queue.workers())
    return QueueBody(
        name=service.queue.name,
        counts=CountsBody(**counts),
        n_workers=len(workers),
        workers=tuple(WorkerBody(**asdict(worker)) for worker in workers),
    )
