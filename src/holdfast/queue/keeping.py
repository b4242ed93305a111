"""The operator's side of a queue: pause, resume, retry, remove."""

from holdfast.errors import JobNotFound, QueueError
from holdfast.queue.connected import Connected

PAUSE_CHUNK = 1_000


class Keeping(Connected):
    """Moves jobs because somebody asks for it."""

    async def pause(self) -> None:
        """Let no worker take a job until `resume`; running ones go on."""
        while await self._patiently(lambda: self._scripts.pause("paused", PAUSE_CHUNK)) == "more":
            pass

    async def resume(self) -> None:
        """Let workers take jobs again."""
        while await self._patiently(lambda: self._scripts.pause("resumed", PAUSE_CHUNK)) == "more":
            pass

    async def remove(self, job_id: str) -> bool:
        """Remove a job and its log, whatever its state; False when it is not there. QueueError while it runs."""
        word = await self._patiently(lambda: self._scripts.remove(job_id))
        if word == "locked":
            raise QueueError(f"job {job_id} is running; it cannot be removed now")
        return word == "ok"

    async def retry(self, job_id: str, *, fresh: bool = True) -> None:
        """Run a failed job again; `fresh` gives it all its attempts again. QueueError when it is not failed."""
        word = await self._patiently(lambda: self._scripts.requeue(job_id, self.id, fresh=fresh))
        if word == "missing":
            raise JobNotFound(job_id=job_id)
        if word != "ok":
            raise QueueError(f"job {job_id} is not failed; only failed jobs can be retried")
