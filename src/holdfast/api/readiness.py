"""The doctor's report, kept for a few seconds: probes come from several sides, and often."""

import asyncio
from time import monotonic

from holdfast.doctor import Doctor, Report
from holdfast.service import Service

FRESH = 5.0  # seconds a report is given again
FRESH_AWAY = 1.0  # seconds, when it says that a server is away: it may be back


class Readiness:
    """What the doctor found a few seconds ago; looked at once, however many ask."""

    def __init__(self, service: Service) -> None:
        self._doctor = Doctor(
            settings=service.settings,
            queue=service.queue,
            database=service.database,
            database_url=service.database_url,
            embedded=service.servers is not None,
        )
        self._report: Report | None = None
        self._made = 0.0
        self._turn = asyncio.Lock()

    async def report(self) -> Report:
        """The checklist, at most a few seconds old. Whether the servers answer is as of now, or a second ago."""
        async with self._turn:
            if self._report is None or not await self._holds(self._report):
                self._report = await self._doctor.examine()
                self._made = monotonic()
            return self._report

    async def _holds(self, report: Report) -> bool:
        """Whether it can be given again: a server that went away since is told of at once."""
        age = monotonic() - self._made
        return age < FRESH and await self._doctor.answers() if report.is_ready else age < FRESH_AWAY
