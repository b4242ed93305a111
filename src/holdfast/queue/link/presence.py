"""What a worker says of itself while it is alive, and what it knows of the server."""

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from redis.exceptions import ResponseError

YOUNG = 5  # seconds; workers that were there before the server's start may still be on their way back


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWorker:
    """A worker that renewed its presence within the last few seconds."""

    id: str
    host: str
    pid: int
    concurrency: int
    started_at: datetime

    def to_json(self) -> bytes:
        """What goes into the presence key."""
        return orjson.dumps(self)

    @classmethod
    def here(cls, worker_id: str, *, concurrency: int) -> "LiveWorker":
        """A worker of this process."""
        return cls(
            id=worker_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            concurrency=concurrency,
            started_at=datetime.now(UTC),
        )

    @classmethod
    def from_json(cls, raw: bytes) -> "LiveWorker":
        """Read a presence key."""
        fields = orjson.loads(raw)
        return cls(**fields | {"started_at": datetime.fromisoformat(fields["started_at"])})


class ServerWatch:
    """Notices that Redis is another process than before, whose data may be older than what it had acknowledged."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._known: str | None = None
        self.changed = False  # until somebody sets it back

    def look(self) -> None:
        """Ask the server who it is; one that may not tell (ACL) counts as another one each time."""
        try:
            about = self._client.info("server")
        except ResponseError:
            about = {"run_id": "", "uptime_in_seconds": YOUNG}
        run_id = str(about["run_id"])
        if self._known is None:
            self.changed = int(about["uptime_in_seconds"]) < YOUNG
        elif run_id != self._known or not run_id:
            self.changed = True
        self._known = run_id
