"""Answers coded by a model, a bundle at a time: what a reply leaves out is asked for again, and nothing else."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TypeAlias

from holdfast.codeframe import Coder, Reading, bundle_prompt, read_bundle
from holdfast.errors import BadReply
from holdfast.service.asking import Asking, Question, again_step
from holdfast.service.requests import GenerationConfig
from holdfast.store.units import OwedUnit

Asks: TypeAlias = Callable[[str, Sequence[str]], Question[dict[str, Reading]]]  # of a step and its texts

ROUNDS = 3  # of calls for one bundle: all of it, and twice what is still missing


def bundle_step(ordinal: int) -> str:
    """The step of a bundle's first call."""
    return f"code/{ordinal}"


def ask_bundle(
    step: str, texts: Sequence[str], coder: Coder, config: GenerationConfig, *, question: str | None
) -> Question[dict[str, Reading]]:
    """What a model is asked about the texts."""
    return Question.of(
        step,
        config,
        bundle_prompt(coder, texts, question=question),
        partial(read_bundle, texts=texts, coder=coder),
    )


class Coding:
    """Codes the bundle of one unit. Every call is a step, so that an attempt after a crash replays those before it."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def code(
        self, unit: OwedUnit, worker: str, coder: Coder, texts: Sequence[str], *, question: str | None
    ) -> dict[str, Reading]:
        """Text -> what the model says of it; texts that it gave nothing usable of are missing.

        Raises BadReply if it gave nothing usable of any.
        """
        config = GenerationConfig.from_json(unit.config)
        asks = partial(ask_bundle, coder=coder, config=config, question=question)
        for again in range(unit.retries):
            # As with any question: what was answered is read again first, and only what was of no use is paid anew.
            try:
                return await self._rounds(unit, worker, asks, again_step(bundle_step(unit.ref.ordinal), again), texts)
            except BadReply:
                continue
        return await self._rounds(unit, worker, asks, again_step(bundle_step(unit.ref.ordinal), unit.retries), texts)

    async def _rounds(
        self, unit: OwedUnit, worker: str, asks: Asks, step: str, texts: Sequence[str]
    ) -> dict[str, Reading]:
        found: dict[str, Reading] = {}
        wanted = [(step, tuple(texts))]
        why: BadReply | None = None
        for _ in range(ROUNDS):
            missing: list[tuple[str, tuple[str, ...]]] = []
            for name, part in wanted:
                try:
                    got = await self._asking.ask_step(unit, worker, asks(name, part), name)
                except BadReply as error:
                    got, why = {}, error
                found |= got
                missing += _following(name, part, got)
            wanted = missing
        if why is not None and not found:
            raise why
        return found


def _following(step: str, texts: Sequence[str], got: Collection[str]) -> list[tuple[str, tuple[str, ...]]]:
    """The next round's steps: what is missing, or both halves of what brought nothing at all.

    One answer that a model will not speak of must not take those beside it along.
    """
    left = tuple(text for text in texts if text not in got)
    half = len(left) if got else (len(left) + 1) // 2
    parts = [part for part in (left[:half], left[half:]) if part]
    return [(f"{step}.{n}", part) for n, part in enumerate(parts, start=1)]
