"""Labels of clusters: words of our own, or a model's, each one a step of the journal."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from holdfast.codeframe import (
    Brief,
    ClusterLabel,
    ClusterResult,
    Embedder,
    LabelPrompt,
    label_prompt,
    label_stage,
    read_label,
)
from holdfast.durable import Reply
from holdfast.errors import BadReply
from holdfast.llm import Completion, Price, Request, count_request
from holdfast.service.models import Models, Turn, most_of
from holdfast.service.requests import OFFLINE, GenerationConfig
from holdfast.service.watching import WatchedSteps
from holdfast.store import CallJournal, Caps, Database
from holdfast.store.units import OwedUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One cluster's label, as a model is asked for it."""

    brief: Brief
    config: GenerationConfig
    prompt: LabelPrompt
    request: Request

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Everything the reply depends on besides the model: what the step's fingerprint is made of."""
        request = {name: getattr(self.request, name) for name in Request.__slots__}  # asdict copies the whole schema
        return {"prompt": self.prompt.version, "request": request}

    def read(self, reply: Mapping[str, Any]) -> ClusterLabel:
        """The label in a recorded reply. Raises BadReply."""
        completion = Completion.from_json(reply)
        return read_label(completion.text, completion.finish, self.brief, self.config.frame())


def ask(brief: Brief, config: GenerationConfig, *, question: str | None) -> Question:
    """What a model is asked about the cluster."""
    prompt = label_prompt(brief, config.frame(), question=question)
    request = Request(
        system=prompt.system,
        user=prompt.user,
        schema=prompt.schema,
        schema_name=prompt.schema_name,
        max_tokens=prompt.max_tokens,
    )
    return Question(brief=brief, config=config, prompt=prompt, request=request)


def step_name(ordinal: int, again: int = 0) -> str:
    """A label's step. A reply that cannot be used stays with its step; asking again is a step of its own."""
    return f"label/{ordinal}" + (f"/again-{again}" if again else "")


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

    async def by_model(self, unit: OwedUnit, worker: str, asked: Question) -> ClusterLabel:
        """A model's label. Raises BadReply for a reply that cannot be used: it stays stored, and is not paid again."""
        for again in range(unit.retries):
            # Only a reply that could not be used is asked for again; what was not answered keeps its step.
            try:
                return asked.read(await self._reply(unit, worker, asked, step_name(unit.ref.ordinal, again)))
            except BadReply:
                continue
        return asked.read(await self._reply(unit, worker, asked, step_name(unit.ref.ordinal, unit.retries)))

    async def _reply(self, unit: OwedUnit, worker: str, asked: Question, step: str) -> Mapping[str, Any]:
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
