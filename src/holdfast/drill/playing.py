"""One generation of ten clusters, asked for over HTTP, watched to its end, and accounted for."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from holdfast.drill.answers import made_up
from holdfast.drill.facts import Look, Money, Name, Run
from holdfast.drill.programs import Program, when
from holdfast.drill.stage import MODEL, Stage
from holdfast.drill.watch import Watch
from holdfast.errors import HoldfastError
from holdfast.stub import BilledCall

CLUSTERS = 10
FIRST = 3  # clusters that are done before anything is killed
BUDGET = "30.00"  # ten calls are 15; those in doubt stay reserved until a person has settled them
LIMIT = 180.0  # seconds beside the outage; after that something hangs

Tell: TypeAlias = Callable[[str], None]


class Playing:
    """A generation under way, and what was found out about it so far."""

    def __init__(self, stage: Stage, tell: Tell, generation_id: UUID) -> None:
        self.stage = stage
        self.tell = tell
        self.generation_id = generation_id
        self.watch = Watch(
            lambda: stage.api.status(generation_id),
            lambda: stage.service.generations.account(generation_id),
            check=stage.programs.check,
        )
        self._billed_before = len(stage.provider.bill().calls)
        self._looks: list[Look] = []

    @property
    def progress(self) -> str:
        """As a line of the story says it."""
        told = self.watch.latest
        return f"{told.n_completed} of {told.n_clusters} clusters done"

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """The status is sampled meanwhile, and until the generation has ended. Raises what ends the sampling."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.watch.sampler.run())
            yield
            await self.watch.until_ended()

    async def first_done(self) -> None:
        """Let the provider answer, one call after the other, until the first clusters are done; hold what follows."""
        for done in range(1, FIRST + 1):
            await self.held(1)
            self.stage.provider.release(1)
            await self.watch.until_done(done)
        await self.held(CLUSTERS - FIRST)

    async def held(self, most: int) -> None:
        """Wait until the provider holds as many calls as the workers can make, or `most`."""
        await self.stage.provider.waiting(min(self.stage.in_hands, most), within=LIMIT)

    async def look(self, at: str, *, cut_off: bool = False) -> Look:
        """Read Redis by plain commands, and compare."""
        found = await self.stage.looker.look(self.generation_id, at, cut_off=cut_off)
        self.keep(found)
        return found

    def keep(self, look: Look) -> None:
        """One more look for the report, and a line of the story."""
        self._looks.append(look)
        states = ", ".join(f"{n} {state}" for state, n in look.by_state.items())
        said = f"{len(look.wrong)} things DIFFER" if look.wrong else "all agree"
        self.tell(f"Redis {look.when}: {states or 'no job'}; {said}")

    async def run(self, drill: Name, title: str, **found: Any) -> Run:
        """Everything about it, once it has ended; `found` are the fields that only this drill has."""
        generations = self.stage.service.generations
        await self.look("at the end")
        told, watch = self.watch.latest, self.watch
        census = await generations.census(self.generation_id)
        run = Run(
            drill=drill,
            title=title,
            clusters=CLUSTERS,
            completed=told.n_completed,
            ended=told.status,
            seconds=watch.now,
            status=watch.facts(),
            looks=tuple(self._looks),
            money=await self._money(),
            balance=await generations.balance(self.generation_id),
            in_two_states=census.in_two_states,
            moments=tuple(watch.moments),
            line=tuple(watch.line),
            **found,
        )
        money = run.money
        self.tell(f"{told.status}: {self.progress}; {money.billed} calls billed, ${money.billed_usd:.2f}")
        return run

    async def cut_off(self) -> int:
        """Calls that are billed and have no reply on record: nobody can know that when their workers are dead."""
        made = (await self.stage.service.generations.status(self.generation_id)).ledger.n_calls
        return len(self._bill()) - made

    def _bill(self) -> Sequence[BilledCall]:
        return self.stage.provider.bill().calls[self._billed_before :]

    async def _money(self) -> Money:
        bill = self._bill()
        ledger = (await self.stage.service.generations.status(self.generation_id)).ledger
        prompts = Counter(call.prompt_digest for call in bill)
        return Money(
            billed=len(bill),
            billed_usd=sum((call.usd for call in bill), Decimal(0)),
            twice=len(bill) - len(prompts),
            spent=ledger.spent,
            reserved=ledger.reserved,
            in_doubt=ledger.n_in_doubt,
            in_doubt_usd=ledger.in_doubt,
        )


async def begin(stage: Stage, tell: Tell) -> Playing:
    """Ask for the generation over HTTP: a category, its answers, then POST /codeframe/generate."""
    category = await stage.api.post("/categories", {"name": "drill", "question": "How was your stay with us?"})
    rows = [{"text": text} for text in made_up()]
    await stage.api.post(f"/categories/{category['id']}/answers", {"rows": rows})
    wanted = {
        "category_id": category["id"],
        "n_clusters": CLUSTERS,
        "config": {"model": MODEL, "budget_usd": BUDGET},
    }
    started = await stage.api.post("/codeframe/generate", wanted)
    tell(f"generation {started['generation_id']} asked for")
    return Playing(stage, tell, UUID(started["generation_id"]))


def first_taken(workers: list[Program], *, since: datetime) -> float | None:
    """Seconds from then until one of them took a job, by their logs."""
    taken = [when(record) for worker in workers for record in worker.events("processing job", since=since)]
    return (min(taken) - since).total_seconds() if taken else None


@asynccontextmanager
async def bounded(what: str, *, more: float = 0.0) -> AsyncIterator[None]:
    """A run that hangs ends with HoldfastError."""
    try:
        async with asyncio.timeout(LIMIT + more):
            yield
    except TimeoutError as error:
        raise HoldfastError(f"the drill {what} did not end within {LIMIT + more:.0f} s") from error
