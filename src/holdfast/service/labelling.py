"""Labels of clusters, and the review of them all: words of our own, or a model's, each one a step of the journal."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial

from holdfast.codeframe import (
    Brief,
    ClusterLabel,
    ClusterResult,
    Embedder,
    Proposal,
    label_prompt,
    label_stage,
    read_label,
    read_review,
    review_prompt,
)
from holdfast.durable import Reply
from holdfast.service.asking import Asking, Question, Read
from holdfast.service.requests import OFFLINE, GenerationConfig
from holdfast.store.units import OwedUnit


def ask(brief: Brief, config: GenerationConfig, *, question: str | None) -> Question[ClusterLabel]:
    """What a model is asked about the cluster."""
    frame = config.frame()
    return Question.of(
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
    return Question.of(
        "review",
        config,
        review_prompt(briefs, labels, frame, question=question),
        lambda text, finish: read_review(text, finish, labels, frame),
    )


def step_name(ordinal: int) -> str:
    """A label's step."""
    return f"label/{ordinal}"


class Labelling:
    """Labels one cluster at a time."""

    def __init__(self, asking: Asking, *, pace: float = 0.0) -> None:
        self._asking = asking
        self._pace = pace

    async def offline(
        self, unit: OwedUnit, worker: str, clustering: ClusterResult, embedder: Embedder | None
    ) -> ClusterLabel:
        """A label in words of the answers."""
        config = GenerationConfig.from_json(unit.config)
        found = await self._asking.steps(unit, worker, config).run(
            step_name(unit.ref.ordinal),
            partial(self._compute, unit, clustering, config, embedder),
            inputs={"brief": asdict(clustering.briefs[unit.ref.ordinal]), "config": unit.config},
            model=OFFLINE,
        )
        return ClusterLabel.from_json(found)  # a reply that is no label fails here, where the reply is already kept

    async def by_model(self, unit: OwedUnit, worker: str, asked: Question[Read]) -> Read:
        """A model's answer. Raises BadReply for a reply that cannot be used: it stays stored, and is not paid again."""
        return await self._asking.ask(unit, worker, asked)

    async def _compute(
        self, unit: OwedUnit, clustering: ClusterResult, config: GenerationConfig, embedder: Embedder | None
    ) -> Reply:
        began = time.monotonic()
        label = await asyncio.to_thread(label_stage, unit.ref.ordinal, clustering, config.frame(), embedder=embedder)
        await asyncio.sleep(max(0.0, self._pace - (time.monotonic() - began)))
        return Reply(value=label.to_json())
