"""Labels of clusters, and the review of them all: words of our own, or a model's, each one a step of the journal."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial

from holdfast.codeframe import (
    Brief,
    ClusterLabel,
    ClusterResult,
    Embedder,
    Exemplar,
    MapPoint,
    Proposal,
    label_prompt,
    label_stage,
    map_prompt,
    numbered_answers,
    read_label,
    read_map,
    read_review,
    reduce_prompt,
    review_prompt,
)
from holdfast.durable import Reply
from holdfast.errors import BadReply
from holdfast.service.asking import Asking, Question, Read, again_step
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


def ask_map(
    k: int, place: int, answers: Mapping[int, Exemplar], config: GenerationConfig, *, question: str | None
) -> Question[tuple[MapPoint, ...]]:
    """What a model is asked about one part of a large cluster."""
    return Question.of(
        f"{step_name(k)}/map/{place}",
        config,
        map_prompt(answers, config.frame(), question=question),
        lambda text, finish: read_map(text, finish, answers),
    )


def ask_reduce(
    brief: Brief,
    points: Sequence[MapPoint],
    answers: Mapping[int, Exemplar],
    config: GenerationConfig,
    *,
    question: str | None,
) -> Question[ClusterLabel]:
    """What a model is asked about a large cluster, once its parts were read; `answers`: those of all parts."""
    frame = config.frame()
    return Question.of(
        step_name(brief.k),
        config,
        reduce_prompt(brief, points, answers, frame, question=question),
        lambda text, finish: read_label(text, finish, brief, frame, answers),
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

    async def by_parts(self, unit: OwedUnit, worker: str, brief: Brief, *, question: str | None) -> ClusterLabel:
        """A model's label from what it found in each part of the cluster, which the unit brings along.

        One call after the other: a worker that dies leaves one in doubt, as with any unit. Of the parts at least half
        have to be read. Raises BadReply for fewer: what was read is paid for once, a retry asks only for the others.
        """
        config = GenerationConfig.from_json(unit.config)
        parts = numbered_answers([[Exemplar(**answer) for answer in part] for part in unit.input["parts"]])
        asked = [ask_map(brief.k, place, answers, config, question=question) for place, answers in enumerate(parts)]
        found = await self._points(unit, worker, asked)
        points = [point for place in sorted(found) for point in found[place]]
        read = {number: answer for part in parts for number, answer in part.items()}
        label = await self._asking.ask(unit, worker, ask_reduce(brief, points, read, config, question=question))
        return replace(label, unread=len(parts) - len(found))

    async def _points(
        self, unit: OwedUnit, worker: str, asked: Sequence[Question[tuple[MapPoint, ...]]]
    ) -> dict[int, tuple[MapPoint, ...]]:
        """What was found in each part, without those whose reply cannot be used. Raises BadReply for too many."""
        found: dict[int, tuple[MapPoint, ...]] = {}
        bad: list[BadReply] = []
        for again in range(unit.retries + 1):
            bad.clear()
            for place, part in enumerate(asked):
                if place not in found:
                    try:
                        found[place] = await self._asking.ask_step(unit, worker, part, again_step(part.step, again))
                    except BadReply as error:
                        bad.append(error)
            # Looked at after each round, as it was then: a retry that is about the label asks for no part again.
            if 2 * len(bad) <= len(asked):
                return found
        raise bad[0]

    async def _compute(
        self, unit: OwedUnit, clustering: ClusterResult, config: GenerationConfig, embedder: Embedder | None
    ) -> Reply:
        began = time.monotonic()
        label = await asyncio.to_thread(label_stage, unit.ref.ordinal, clustering, config.frame(), embedder=embedder)
        await asyncio.sleep(max(0.0, self._pace - (time.monotonic() - began)))
        return Reply(value=label.to_json())
