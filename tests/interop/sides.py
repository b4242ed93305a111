"""The same operations on Node's Bull and on ours."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from tests.interop.bridge import Node, NodeError, NodeQueue

from holdfast.queue import Backoff, Job, NewJob, Queue, QueueError, Retention, Unrecoverable, Worker

Options: TypeAlias = dict[str, Any]  # in Bull's words, times in ms


class Side(Protocol):
    """A queue to which an operation of a sequence can be done. Each says what came of it: ids, 'ok' or 'refused'."""

    async def add(self, jobs: list[tuple[str, Any, Options]]) -> Any: ...

    async def take(self) -> Any: ...

    async def progress(self, job_id: str, value: Any) -> Any: ...

    async def log(self, job_id: str, line: str) -> Any: ...

    async def complete(self, job_id: str, value: Any) -> Any: ...

    async def fail(self, job_id: str, reason: str) -> Any: ...

    async def pause(self) -> Any: ...

    async def resume(self) -> Any: ...

    async def promote(self, job_id: str) -> Any: ...

    async def retry(self, job_id: str) -> Any: ...

    async def remove(self, job_id: str) -> Any: ...

    async def clean(self, state: str) -> Any: ...

    async def obliterate(self) -> Any: ...

    async def retry_all(self) -> Any: ...

    async def work(self) -> Any: ...


@dataclass
class NodeSide:
    """Bull, by its own methods."""

    node: Node
    queue: NodeQueue

    async def add(self, jobs: list[tuple[str, Any, Options]]) -> Any:
        if len(jobs) == 1:
            (name, data, options) = jobs[0]
            return [(await self.queue.add(name, data, **options))["id"]]
        bulk = [{"name": name, "data": data, "opts": options} for name, data, options in jobs]
        return [job["id"] for job in await self.queue.call("addBulk", bulk)]

    async def take(self) -> Any:
        job = await self.queue.take()
        assert job is not None
        return job["id"], job["name"], job["data"], job["attemptsMade"]

    async def progress(self, job_id: str, value: Any) -> Any:
        await self.node.call("running", job=job_id, method="progress", args=[value])

    async def log(self, job_id: str, line: str) -> Any:
        await self.node.call("running", job=job_id, method="log", args=[line])

    async def complete(self, job_id: str, value: Any) -> Any:
        await self.node.call("finish", job=job_id, value=value)

    async def fail(self, job_id: str, reason: str) -> Any:
        await self.node.call("finish", job=job_id, error=reason)

    async def pause(self) -> Any:
        await self.queue.call("pause")

    async def resume(self) -> Any:
        await self.queue.call("resume")

    async def promote(self, job_id: str) -> Any:
        return await self._said(self.queue.job(job_id, "promote"))

    async def retry(self, job_id: str) -> Any:
        return await self._said(self.queue.job(job_id, "retry"))

    async def remove(self, job_id: str) -> Any:
        return await self._said(self.queue.job(job_id, "remove"))

    async def clean(self, state: str) -> Any:
        return len(await self.queue.call("clean", 0, state))

    async def obliterate(self) -> Any:
        return await self._said(self.queue.call("obliterate"))

    async def retry_all(self) -> Any:
        await self.queue.call("retryJobs")

    async def work(self) -> Any:
        await self.queue.process(how="plan")
        await self.resume()

    async def _said(self, call: Any) -> str:
        try:
            await call
        except NodeError:
            return "refused"
        return "ok"


@dataclass
class Running:
    """A job that a worker of ours holds until the sequence says what becomes of it."""

    job: Job
    outcome: "asyncio.Future[Any]"
    worker: "asyncio.Task[None]"


@dataclass
class OurSide:
    """Ours: each take is a worker that takes one job and stops."""

    queue: Queue
    stack: AsyncExitStack
    running: dict[str, Running] = field(default_factory=dict)

    async def add(self, jobs: list[tuple[str, Any, Options]]) -> Any:
        new = [NewJob(name, data, **in_our_words(options)) for name, data, options in jobs]
        return [job.id for job in await self.queue.add_many(new)]

    async def take(self) -> Any:
        taken: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def hold(job: Job) -> Any:
            await worker.stop()
            taken.set_result(job)
            return await outcome

        worker = Worker(self.queue, {"*": hold}, concurrency=1, grace=60.0, signals=False)
        running = asyncio.create_task(worker.run())
        self.stack.push_async_callback(self._end, outcome, running)
        async with asyncio.timeout(30):
            job = await taken
        self.running[job.id] = Running(job, outcome, running)
        return job.id, job.name, job.data, job.attempts_made

    async def progress(self, job_id: str, value: Any) -> Any:
        await self.running[job_id].job.update_progress(value, back=True)

    async def log(self, job_id: str, line: str) -> Any:
        await self.running[job_id].job.log(line)

    async def complete(self, job_id: str, value: Any) -> Any:
        running = self.running.pop(job_id)
        running.outcome.set_result(value)
        await running.worker

    async def fail(self, job_id: str, reason: str) -> Any:
        running = self.running.pop(job_id)
        running.outcome.set_exception(ValueError(reason))
        await running.worker

    async def pause(self) -> Any:
        await self.queue.pause()

    async def resume(self) -> Any:
        await self.queue.resume()

    async def promote(self, job_id: str) -> Any:
        return await self._said(self.queue.promote(job_id))

    async def retry(self, job_id: str) -> Any:
        return await self._said(self.queue.retry(job_id, fresh=False))

    async def remove(self, job_id: str) -> Any:
        return await self._said(self.queue.remove(job_id))

    async def clean(self, state: str) -> Any:
        return await self.queue.clean(state)  # type: ignore[arg-type]

    async def obliterate(self) -> Any:
        return await self._said(self.queue.obliterate())

    async def retry_all(self) -> Any:
        await self.queue.retry_all(fresh=False)

    async def work(self) -> Any:
        worker = Worker(self.queue, {"*": follow_the_plan}, concurrency=1, signals=False)
        running = asyncio.create_task(worker.run())
        self.stack.push_async_callback(asyncio.wait_for, running, 30)
        self.stack.push_async_callback(worker.stop)
        await self.resume()

    async def _said(self, call: Any) -> str:
        try:
            await call
        except QueueError:
            return "refused"
        return "ok"

    async def _end(self, outcome: "asyncio.Future[Any]", running: "asyncio.Task[None]") -> None:
        """After a sequence that stopped half-way: let the worker go."""
        if not outcome.done():
            outcome.set_exception(Unrecoverable("the sequence is over"))
        await running


async def follow_the_plan(job: Job) -> Any:
    """What `plan` of bridge.js does."""
    step = job.data["plan"][job.attempts_made]
    if "log" in step:
        await job.log(step["log"])
    if "progress" in step:
        await job.update_progress(step["progress"], back=True)
    if "error" in step:
        raise ValueError(step["error"])
    return step["value"]


def in_our_words(options: Options) -> dict[str, Any]:
    """Bull's options as ours."""
    ours: dict[str, Any] = {}
    for name, value in options.items():
        match name:
            case "delay" | "timeout":
                ours[name] = value / 1000
            case "backoff":
                ours[name] = (
                    Backoff(type=value["type"], delay=value["delay"] / 1000)
                    if isinstance(value, dict)
                    else value / 1000
                )
            case "jobId":
                ours["job_id"] = value
            case "removeOnComplete" | "removeOnFail":
                ours["remove_on_" + name[8:].lower()] = Retention(**value) if isinstance(value, dict) else value
            case _:
                ours[name] = value
    return ours
