"""Paid questions to a model, each one a step of the journal: what was answered once is never paid for again."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from holdfast.codeframe import Prompt
from holdfast.durable import Reply
from holdfast.errors import BadReply
from holdfast.llm import Completion, Price, Request, count_request
from holdfast.service.models import Models, Turn, most_of
from holdfast.service.requests import GenerationConfig
from holdfast.service.watching import WatchedSteps
from holdfast.store import CallJournal, Caps, Database
from holdfast.store.units import OwedUnit

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[Read]):
    """What a model is asked for, and how its reply is read."""

    step: str
    config: GenerationConfig
    reads: Callable[[str, str], Read]  # text and finish of a reply -> what it says; raises BadReply
    prompt: Prompt
    request: Request

    @classmethod
    def of(
        cls, step: str, config: GenerationConfig, prompt: Prompt, reads: Callable[[str, str], Read]
    ) -> "Question[Read]":
        """The question of a prompt."""
        request = Request(
            system=prompt.system,
            user=prompt.user,
            schema=prompt.schema,
            schema_name=prompt.schema_name,
            max_tokens=prompt.max_tokens,
        )
        return cls(step=step, config=config, prompt=prompt, request=request, reads=reads)

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Everything the reply depends on besides the model: what the step's fingerprint is made of."""
        request = {name: getattr(self.request, name) for name in Request.__slots__}  # asdict copies the whole schema
        return {"prompt": self.prompt.version, "request": request}

    def read(self, reply: Mapping[str, Any]) -> Read:
        """What a recorded reply says. Raises BadReply."""
        completion = Completion.from_json(reply)
        return self.reads(completion.text, completion.finish)


def again_step(step: str, times: int) -> str:
    """A reply that cannot be used stays with its step; asking again is a step of its own."""
    return f"{step}/again-{times}" if times else step


async def first_usable(unit: OwedUnit, step: str, asks: Callable[[str], Awaitable[Read]]) -> Read:
    """What the step says, or one that a person had it asked for again by. Raises BadReply of the last of them."""
    for again in range(unit.retries):
        # Only a reply that could not be used is asked for again; what was not answered keeps its step.
        try:
            return await asks(again_step(step, again))
        except BadReply:
            continue
    return await asks(again_step(step, unit.retries))


def reply_of(completion: Completion, price: Price, *, batch: bool = False) -> Reply:
    """The completion as the journal keeps it, with what it cost."""
    cost = price.cost(completion.usage, batch=batch)
    return Reply(value=completion.to_json(), cost=cost, usage=asdict(completion.usage))


class Asking:
    """Asks models for units of generations."""

    def __init__(self, database: Database, models: Models, *, caps: Caps) -> None:
        self._database = database
        self._models = models
        self._caps = caps

    async def ask(self, unit: OwedUnit, worker: str, asked: Question[Read]) -> Read:
        """A model's answer. Raises BadReply for a reply that cannot be used: it stays stored, and is not paid again."""
        return await first_usable(unit, asked.step, partial(self.ask_step, unit, worker, asked))

    async def ask_step(self, unit: OwedUnit, worker: str, asked: Question[Read], step: str) -> Read:
        """The answer of one step, whatever became of others before it. Raises BadReply."""
        model, request = asked.config.model, asked.request
        client, price = await self._models.ready(model), self._models.price(model)
        # The turn comes before the intent: nobody has to doubt a call that only waited for it.
        async with self._models.turn(model, tokens=count_request(request) + request.max_tokens) as turn:
            found: Mapping[str, Any] = await self.steps(unit, worker, asked.config).run(
                step,
                partial(_call, turn, request, price),
                inputs=asked.inputs,
                model=model,
                reserve=most_of(price, request),
                credential=client.credential,
            )
        return asked.read(found)

    def steps(self, unit: OwedUnit, worker: str, config: GenerationConfig) -> WatchedSteps:
        """The steps of the unit, paid or not."""
        ref = unit.ref
        journal = CallJournal(
            self._database, generation_id=ref.generation_id, unit_id=ref.id, worker=worker, caps=self._caps
        )
        return WatchedSteps(journal, in_doubt="hold" if config.in_doubt == "hold" else "repeat")


async def _call(turn: Turn, request: Request, price: Price) -> Reply:
    return reply_of(await turn.complete(request), price)
