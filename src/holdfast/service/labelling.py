"""Labels of clusters, and the review of them all: words of our own, or a model's, each one a step of the journal."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from holdfast.codeframe import (
    Brief,
    ClusterLabel,
    ClusterResult,
    Embedder,
    Prompt,
    Proposal,
    label_prompt,
    label_stage,
    read_label,
    read_review,
    review_prompt,
)
from holdfast.durable import Reply
from holdfast.errors import BadReply
from holdfast.llm import Completion, Price, Request, count_request
from holdfast.service.models import Models, Turn, most_of
from holdfast.service.requests import OFFLINE, GenerationConfig
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

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Everything the reply depends on besides the model: what the step's fingerprint is made of."""
        request = {name: getattr(self.request, name) for name in Request.__slots__}  # asdict copies the whole schema
        return {"prompt": self.prompt.version, "request": request}

    def read(self, reply: Mapping[str, Any]) -> Read:
        """What a recorded reply says. Raises BadReply."""
        completion = Completion.from_json(reply)
        return self.reads(completion.text, completion.finish)


def ask(brief: Brief, config: GenerationConfig, *, question: str | None) -> Question[ClusterLabel]:
    """What a model is asked about the cluster."""
    frame = config.frame()
    return _question(
        step_name(brief.k),
        config,
        label_prompt(brief, frame, question=question),
        lambda text, finish: read_label(text, finish, brief, frame),
    )


def ask_review(
    briefs: Sequence[Brief], labels: Mapping[int, ClusterLabel], config: GenerationConfig, *, question: str | None
) -> Question[Proposal]:
    """What a model is asked about all labels together."""
    frame = config.frame()
    return _question(
        "review",
        config,
        review_prompt(briefs, labels, frame, question=question),
        lambda text, finish: read_review(text, finish, labels, frame),
    )


def _question(step: str, config: GenerationConfig, prompt: Prompt, reads: Callable[[str, str], Read]) -> Question[Read]:
    request = Request(
        system=prompt.system,
        user=prompt.user,
        schema=prompt.schema,
        schema_name=prompt.schema_name,
        max_tokens=prompt.max_tokens,
    )
    return Question(step=step, config=config, prompt=prompt, request=request, reads=reads)


def step_name(ordinal: int) -> str:
    """A label's step."""
    return f"label/{ordinal}"


def _again(step: str, times: int) -> str:
    """A reply that cannot be used stays with its step; asking again is a step of its own."""
    return f"{step}/again-{times}" if times else step


def reply_of(completion: Completion, price: Price, *, batch: bool = False) -> Reply:
    """The completion as the journal keeps it, with what it cost."""
    cost = price.cost(completion.usage, batch=batch)
    return Reply(value=completion.to_json(), cost=cost, usage=asdict(completion.usage))


class Labelling:
    """Labels one cluster at a time, through the journal: a label that was paid for is never paid for again."""

    def __init__(self, database: Database, models: Models, *, caps: Caps, pace: float = 0.0) -> None:
        self._database = database
        self._models = models
        self._caps = caps
        self._pace = pace

    async def offline(
        self, unit: OwedUnit, worker: str, clustering: ClusterResult, embedder: Embedder | None
    ) -> ClusterLabel:
        """A label in words of the answers."""
        config = GenerationConfig.from_json(unit.config)
        found = await self._steps(unit, worker, config).run(
            step_name(unit.ref.ordinal),
            partial(self._compute, unit, clustering, config, embedder),
            inputs={"brief": asdict(clustering.briefs[unit.ref.ordinal]), "config": unit.config},
            model=OFFLINE,
        )
        return ClusterLabel.from_json(found)  # a reply that is no label fails here, where the reply is already kept

    async def by_model(self, unit: OwedUnit, worker: str, asked: Question[Read]) -> Read:
        """A model's answer. Raises BadReply for a reply that cannot be used: it stays stored, and is not paid again."""
        for again in range(unit.retries):
            # Only a reply that could not be used is asked for again; what was not answered keeps its step.
            try:
                return asked.read(await self._reply(unit, worker, asked, _again(asked.step, again)))
            except BadReply:
                continue
        return asked.read(await self._reply(unit, worker, asked, _again(asked.step, unit.retries)))

    async def _reply(self, unit: OwedUnit, worker: str, asked: Question[Any], step: str) -> Mapping[str, Any]:
        model, request = asked.config.model, asked.request
        client, price = await self._models.ready(model), self._models.price(model)
        # The turn comes before the intent: nobody has to doubt a call that only waited for it.
        async with self._models.turn(model, tokens=count_request(request) + request.max_tokens) as turn:
            found: Mapping[str, Any] = await self._steps(unit, worker, asked.config).run(
                step,
                partial(_call, turn, request, price),
                inputs=asked.inputs,
                model=model,
                reserve=most_of(price, request),
                credential=client.credential,
            )
        return found

    def _steps(self, unit: OwedUnit, worker: str, config: GenerationConfig) -> WatchedSteps:
        ref = unit.ref
        journal = CallJournal(
            self._database, generation_id=ref.generation_id, unit_id=ref.id, worker=worker, caps=self._caps
        )
        return WatchedSteps(journal, in_doubt="hold" if config.in_doubt == "hold" else "repeat")

    async def _compute(
        self, unit: OwedUnit, clustering: ClusterResult, config: GenerationConfig, embedder: Embedder | None
    ) -> Reply:
        began = time.monotonic()
        label = await asyncio.to_thread(label_stage, unit.ref.ordinal, clustering, config.frame(), embedder=embedder)
        await asyncio.sleep(max(0.0, self._pace - (time.monotonic() - began)))
        return Reply(value=label.to_json())


async def _call(turn: Turn, request: Request, price: Price) -> Reply:
    return reply_of(await turn.complete(request), price)
