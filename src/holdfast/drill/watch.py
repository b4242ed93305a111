"""The status over HTTP, ten times a second, each time against what the database said before and after."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Literal

from holdfast.drill.client import Told
from holdfast.drill.facts import Moment, Point, StatusFacts
from holdfast.drill.sampler import Sampler
from holdfast.service import Account

LABEL = "label"
MOST_WRONG = 20


def against(told: Told, before: Account, after: Account) -> Iterator[str]:
    """What a status says that the database said neither before nor after it."""
    for word, state in (("n_completed", "done"), ("n_failed", "failed")):
        least, most = (_labels(account, state) for account in (before, after))
        said = getattr(told, word)
        if not least <= said <= most:
            yield f"{word} was {said}, the database had {least} before and {most} after"
    if told.ended and told.status != after.state:
        yield f"status was {told.status}, the database had {after.state} after"
    if not told.ended and before.state not in {"active", "paused", "unknown"}:
        yield f"status was {told.status}, the database had {before.state} before"


def _labels(account: Account, state: str) -> int:
    return sum(unit.stage == LABEL and unit.state == state for unit in account.units)


class Watch:
    """One generation's status, sampled; and the story of it as a line of points and moments."""

    def __init__(
        self,
        look: Callable[[], Awaitable[Told]],
        known: Callable[[], Awaitable[Account]],
        *,
        check: Callable[[], None],
    ) -> None:
        self._look_at = look
        self._known = known
        self._began = time.monotonic()
        self._against: list[str] = []
        self._checked = check
        self.sampler = self._sampler()
        self.api_is_dead = False
        self.first_back: Told | None = None  # the first status that was asked for after the API had died
        self.line: list[Point] = [Point(at=0.0, done=0)]
        self.moments: list[Moment] = []
        self._facts: list[Sampler[Told]] = [self.sampler]

    def _sampler(self) -> Sampler[Told]:
        return Sampler(self._look, check=self._checked, may_fail=lambda: self.api_is_dead)

    @property
    def now(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    @property
    def latest(self) -> Told:
        assert self.sampler.latest is not None
        return self.sampler.latest

    def mark(self, kind: Literal["kill", "start", "note"], what: str) -> None:
        """Something was done now."""
        self.moments.append(Moment(at=self.now, kind=kind, what=what))

    def mark_at(self, kind: Literal["kill", "start", "note"], what: str, when: datetime) -> None:
        """Something was done then, by the logs."""
        ago = (datetime.now(UTC) - when).total_seconds()
        self.moments.append(Moment(at=max(0.0, self.now - ago), kind=kind, what=what))

    def api_dies(self) -> None:
        """From now on nobody may answer."""
        self.api_is_dead, self.first_back = True, None

    def begin_again(self) -> None:
        """A person retries an ended generation: what went on from there is compared with its new beginning."""
        self.sampler = self._sampler()
        self._facts.append(self.sampler)

    async def until_done(self, clusters: int) -> None:
        """Wait until so many are done, or all that will be."""
        await self.sampler.until(lambda told: told.n_completed >= clusters)

    async def until_ended(self) -> None:
        await self.sampler.until(lambda told: told.ended)

    def facts(self) -> StatusFacts:
        """What was seen from the first sample to the last."""
        wrong = [each for sampler in self._facts for each in sampler.wrong] + self._against
        return StatusFacts(
            samples=sum(sampler.samples for sampler in self._facts),
            unanswered=sum(sampler.unanswered for sampler in self._facts),
            longest_gap=max(sampler.longest_gap for sampler in self._facts),
            n_wrong=len(wrong),
            wrong=tuple(dict.fromkeys(wrong))[:MOST_WRONG],
        )

    async def _look(self) -> Told:
        was_dead = self.api_is_dead
        before = await self._known()
        told = await self._look_at()
        self._against += against(told, before, await self._known())
        if was_dead and self.first_back is None:
            self.first_back = told
        if told.n_completed != self.line[-1].done:
            self.line.append(Point(at=self.now, done=told.n_completed))
        return told


async def until(holds: Callable[[], Awaitable[bool]], *, within: float, every: float = 0.05) -> bool:
    """Ask until it is so, at most so many seconds; says whether it came true."""
    try:
        async with asyncio.timeout(within):
            while not await holds():  # noqa: ASYNC110 - what is asked is in other processes
                await asyncio.sleep(every)
    except TimeoutError:
        return False
    return True
