"""retry, promote, pause, resume, clean: what a person does to a queue's jobs."""

from typing import Literal, cast

from holdfast.cli.queue_words import STATES
from holdfast.cli.screen import screen
from holdfast.cli.words import counted, plain
from holdfast.errors import BadInput, NotFound
from holdfast.queue import JobNotFound, Queue

Cleanable = Literal["wait", "paused", "delayed", "completed", "failed"]
CLEANABLE = tuple(state for state in STATES if state != "active")


async def retry_jobs(queue: Queue, job_id: str | None, *, limit: int | None, fresh: bool) -> int:
    """`holdfast queue retry`."""
    if job_id is None:
        number = await queue.retry_all(limit=limit, fresh=fresh)
        screen().print(f"{counted(number, 'failed job')} will run again")
        return 0
    try:
        await queue.retry(job_id, fresh=fresh)
    except JobNotFound as error:
        raise NotFound(kind="job", id=f"{job_id} in queue {queue.name}") from error
    screen().print(f"job {plain(job_id)} will run again")
    return 0


async def promote_jobs(queue: Queue, job_id: str | None, *, limit: int | None) -> int:
    """`holdfast queue promote`."""
    if job_id is None:
        screen().print(f"{counted(await queue.promote_all(limit=limit), 'delayed job')} may run now")
        return 0
    try:
        await queue.promote(job_id)
    except JobNotFound as error:
        raise NotFound(kind="job", id=f"{job_id} in queue {queue.name}") from error
    screen().print(f"job {plain(job_id)} may run now")
    return 0


async def pause_queue(queue: Queue) -> int:
    """`holdfast queue pause`."""
    await queue.pause()
    active = (await queue.counts())["active"]
    screen().print(f"queue {plain(queue.name)} is paused; {counted(active, 'job')} still running")
    return 0


async def resume_queue(queue: Queue) -> int:
    """`holdfast queue resume`."""
    await queue.resume()
    waiting, workers = (await queue.counts())["wait"], len(await queue.workers())
    screen().print(f"queue {plain(queue.name)} goes on: {counted(waiting, 'job')} for {counted(workers, 'worker')}")
    return 0


async def clean_jobs(queue: Queue, state: str, *, older_than: float, limit: int | None) -> int:
    """`holdfast queue clean`."""
    if state == "ghosts":
        screen().print(f"{counted(await queue.clear_ghosts(), 'id')} without a job forgotten")
        return 0
    if state not in CLEANABLE:
        raise BadInput(f"{state!r} jobs cannot be cleaned; say one of {', '.join(CLEANABLE)} or ghosts")
    number = await queue.clean(cast("Cleanable", state), older_than=older_than, limit=limit)
    screen().print(f"{counted(number, f'{state} job')} removed")
    return 0
