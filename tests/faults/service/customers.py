"""People who start generations, change their minds, and in the end want every one of them."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

from holdfast.drill.sampler import contradictions
from holdfast.errors import BadInput, Conflict, QueueUnavailable, Unavailable
from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service, Status

T = TypeVar("T")

MODELS = ("anthropic:stub-model", "openai:stub-model")
DEEDS = ("pause", "resume", "resume", "cancel", "resolve", "resolve", "retry")
AT_ONCE = 4  # generations under way
TOPICS = (
    "Waiting took far too long, {n} minutes in the queue of survey {s}",
    "The staff of survey {s} were friendly and very kind to me on day {n}",
    "Parking is expensive, I paid {n} pounds for the car park of survey {s}",
    "The food of survey {s} was cold and had no taste, {n} times",
    "Nobody explained the letter of survey {s} to me, I rang {n} times",
)


@dataclass
class Ordered:
    """A generation somebody wants."""

    id: UUID
    is_cancelled: bool = False
    steered: int = 0  # how often somebody changed its course: what a status said before that is no measure any more
    latest: Status | None = None
    wrong: list[str] = field(default_factory=list)


class Customers:
    """Orders generations until a time, steers them, and looks at each ten times a second."""

    def __init__(self, service: Service, seed: int) -> None:
        self.random = random.Random(seed)
        self._service = service
        self.ordered: list[Ordered] = []
        self.samples = 0

    async def go_on_until(self, end: float) -> None:
        """Keep some generations under way, and do something to one of them now and then."""
        async with asyncio.TaskGroup() as group:
            while monotonic() < end:
                under_way = [one for one in self.ordered if not (one.latest and one.latest.ended)]
                if len(under_way) < AT_ONCE:
                    group.create_task(self._watch(await self._order(), end))
                elif self.random.random() < 0.5:
                    await self._steer(self.random.choice(under_way))
                await asyncio.sleep(self.random.uniform(0.5, 2.0))  # people take their time

    async def settle(self, *, within: float) -> None:
        """See every generation to its end: resume, resolve and retry until nothing is left to do."""
        async with asyncio.timeout(within):
            await asyncio.gather(*(self._to_the_end(one) for one in self.ordered if not one.is_cancelled))

    async def _order(self) -> Ordered:
        number, chance = len(self.ordered), self.random
        category = await patiently(lambda: self._service.imports.add_category(name=f"survey {number}"))
        rows = [IncomingRow(text=TOPICS[n % len(TOPICS)].format(n=n, s=number)) for n in range(60)]
        await patiently(lambda: self._service.imports.import_rows(category.id, rows))
        config = GenerationConfig(
            n_clusters=chance.randint(4, 10),
            model=chance.choice(MODELS),
            batch=chance.random() < 0.25,
            in_doubt=chance.choice(["repeat", "repeat", "hold"]),
        )
        request = GenerationRequest(
            category_id=category.id,
            config=config,
            idempotency_key=f"order {number}",
            budget=chance.choice([None, Decimal("0.05"), Decimal(5)]),
        )
        made = await patiently(lambda: self._service.generations.start(request))
        again = await patiently(lambda: self._service.generations.start(request))
        assert again.generation.id == made.generation.id
        self.ordered.append(Ordered(made.generation.id))
        return self.ordered[-1]

    async def _steer(self, one: Ordered) -> None:
        steering, what = self._service.steering, self.random.choice([self._next(one), *DEEDS])
        deeds: dict[str, Callable[[], Awaitable[Any]]] = {
            "pause": lambda: steering.pause(one.id),
            "resume": lambda: steering.resume(one.id, budget=Decimal(50)),
            "cancel": lambda: steering.cancel(one.id),
            "resolve": lambda: steering.resolve(one.id),
            "retry": lambda: steering.retry(one.id, budget=Decimal(50)),
        }
        await self._do(one, deeds[what])
        if what == "cancel":
            one.is_cancelled = (await patiently(lambda: self._service.generations.status(one.id))).status == "cancelled"

    def _next(self, one: Ordered) -> str:
        """What lets it go on, as far as its last status tells."""
        match one.latest:
            case Status(status="paused", error={"code": "in_doubt"}):
                return "resolve"
            case Status(status="partial" | "failed"):
                return "retry"
            case _:
                return "resume"

    async def _do(self, one: Ordered, deed: Callable[[], Awaitable[Any]]) -> None:
        one.steered += 1
        try:
            await patiently(deed)
        except (Conflict, BadInput):
            pass  # it was not in the state for that
        finally:
            one.steered, one.latest = one.steered + 1, None

    async def _watch(self, one: Ordered, end: float) -> None:
        while monotonic() < end:
            await self._look(one)
            await asyncio.sleep(0.1)  # how often the status is sampled

    async def _look(self, one: Ordered) -> Status:
        before, steered = one.latest, one.steered
        status = await patiently(lambda: self._service.generations.status(one.id))
        self.samples += 1
        same_course = steered == one.steered and steered % 2 == 0
        found = contradictions(before if same_course and one.latest is before else None, status)
        # A late reply may settle what it was held for: then it goes on without a person.
        one.wrong += [each for each in found if "from paused to" not in each]
        one.latest = status if same_course else None
        return status

    async def _to_the_end(self, one: Ordered) -> None:
        steering, rich = self._service.steering, Decimal(1000)
        while (status := await self._look(one)).status != "completed":
            code = (status.error or {}).get("code")
            if status.status == "paused" and code == "in_doubt":
                await self._do(one, lambda: steering.resolve(one.id))
            elif status.status == "paused":
                await self._do(one, lambda: steering.resume(one.id, budget=rich))
            elif status.status in {"partial", "failed"}:
                await self._do(one, lambda: steering.retry(one.id, budget=rich))
            await asyncio.sleep(0.2)  # how often somebody looks after it


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Call until the servers are there."""
    while True:
        try:
            return await call()
        except (Unavailable, QueueUnavailable):
            await asyncio.sleep(0.1)
