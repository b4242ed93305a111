"""What a worker says of itself while it is alive."""

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson


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
