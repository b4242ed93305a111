"""Cancelling jobs: those that wait and those that run, on whatever host."""

from typing import Literal, TypeAlias

from holdfast.errors import JobNotFound
from holdfast.queue.client.connected import Connected

Cancellation: TypeAlias = Literal["cancelled", "stopping", "ended"]


class Cancelling(Connected):
    """Stops jobs because somebody asks for it."""

    async def cancel(self, job_id: str) -> Cancellation:
        """Cancel a job: it fails with the reason 'cancelled' and is not tried again; `retry` runs it anew.

        'cancelled': it had not begun, and has failed now. 'stopping': it runs; its worker stops the attempt within
        about a second of being able to reach Redis, unless it ends by itself first. 'ended': it had ended before.
        JobNotFound when there is none.
        """
        word = await self._patiently(lambda: self._scripts.cancel(job_id))
        if word == "missing":
            raise JobNotFound(job_id=job_id)
        return word
