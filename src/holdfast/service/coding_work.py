"""The stages of answers that are coded without clusters (brands, sentiments), and of those that a model codes."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from holdfast.codeframe import (
    AssembledFrame,
    Coder,
    FrameCoder,
    Reading,
    asked_texts,
    code_directly,
    coder_of,
    plan_bundles,
)
from holdfast.service.batching import Batching
from holdfast.service.coding import Coding, ask_bundle, bundle_step
from holdfast.service.frames import Corpus, Work, frame_result, frame_writer
from holdfast.service.requests import OFFLINE, GenerationConfig
from holdfast.service.stages import ASSEMBLE, BATCH, CODE, DRAFT
from holdfast.store import Database, answers, units
from holdfast.store.units import Done, NewUnit, OwedUnit


class CodingWork:
    """Reads what a unit needs, has it coded, and says what to commit."""

    def __init__(self, database: Database, coding: Coding, batching: Batching) -> None:
        self._database = database
        self._coding = coding
        self._batching = batching
        self._codes: tuple[tuple[UUID, int], FrameCoder] | None = None

    async def prepare(self, unit: OwedUnit, config: GenerationConfig) -> Work:
        """A unit for each bundle of the distinct texts that a model has to read; none where words are enough."""
        bundles: list[tuple[str, ...]] = []
        if config.model != OFFLINE:
            _, texts = await self._texts(unit.ref.generation_id)
            asked = await asyncio.to_thread(asked_texts, config.coding_type, texts, config.frame())
            bundles = plan_bundles(asked)
        return Work(done=Done(result={}), following=_following(bundles, config))

    def draft(self, unit: OwedUnit, config: GenerationConfig, corpus: Corpus, frame: AssembledFrame) -> Work:
        """A unit for each bundle of the distinct texts, to be coded against the frame."""
        coder = FrameCoder.of(frame, corpus.texts)
        bundles = plan_bundles(corpus.prepared.distinct) if coder.codes else []
        # Made again after a retry: the batch that was is still there, and what is missing is bought by itself.
        again = replace(config, batch=False) if unit.ref.round else config
        done = Done(output=frame.to_bytes(), result={"codes": coder.to_json()})
        return Work(done=done, following=_following(bundles, again))

    async def batch(self, unit: OwedUnit, worker: str, config: GenerationConfig) -> Work:
        """The first call of every bundle bought at once; the units that follow find their replies recorded."""
        bundles, coder = unit.input["bundles"], await self._coder(unit, config)
        question = await self._question(unit)
        asked = [
            ask_bundle(bundle_step(n), bundle, coder, config, question=question) for n, bundle in enumerate(bundles)
        ]
        result = await self._batching.run(unit, worker, asked)
        return Work(done=Done(result=result), following=_units(bundles))

    async def code(self, unit: OwedUnit, worker: str) -> Work:
        """What the model reads in the texts of one bundle."""
        config = GenerationConfig.from_json(unit.config)
        texts, coder = unit.input["texts"], await self._coder(unit, config)
        read = await self._coding.code(unit, worker, coder, texts, question=await self._question(unit))
        result = {"n_texts": len(texts), "n_read": len(read)}
        return Work(done=Done(output=json.dumps(read).encode(), result=result))

    async def assemble(self, unit: OwedUnit, config: GenerationConfig) -> Work:
        """The whole codeframe and every answer's codes, written in the transaction that ends the generation."""
        generation_id = unit.ref.generation_id
        ids, texts = await self._texts(generation_id)
        read = None if config.model == OFFLINE else await self.read(generation_id)
        frame = await asyncio.to_thread(code_directly, config.coding_type, texts, config.frame(), read)
        write = frame_writer(generation_id, frame, ids, texts)
        return Work(done=Done(result=frame_result(frame)), write=write)

    async def _question(self, unit: OwedUnit) -> str | None:
        category = await self._database.run(partial(answers.get_category, category_id=unit.category_id))
        return category.question

    async def _coder(self, unit: OwedUnit, config: GenerationConfig) -> Coder:
        if config.is_direct:
            return coder_of(config.coding_type, config.frame())
        generation_id, round_ = unit.ref.generation_id, unit.ref.round
        # Every bundle of a generation is coded against the same codes: a process reads them once.
        if self._codes is None or self._codes[0] != (generation_id, round_):
            drafts = await self._database.run(lambda connection: units.results(connection, generation_id, DRAFT))
            self._codes = (generation_id, round_), FrameCoder.from_json(drafts[0]["codes"])
        return self._codes[1]

    async def _texts(self, generation_id: UUID) -> tuple[list[int], list[str]]:
        return await self._database.run(lambda connection: answers.frozen_texts(connection, generation_id))

    async def read(self, generation_id: UUID) -> dict[str, Reading]:
        """Distinct text -> what a model has read in it, of all bundles together."""
        stored = await self._database.run(lambda connection: units.outputs(connection, generation_id, CODE))
        return {text: reading for output in stored.values() for text, reading in json.loads(output).items()}


def _following(bundles: Sequence[Sequence[str]], config: GenerationConfig) -> list[NewUnit]:
    if not bundles:
        return [NewUnit(stage=ASSEMBLE, ordinal=0)]
    if not config.batch:
        return _units(bundles)
    # Labels have a batch of their own, before this one.
    ordinal = 0 if config.is_direct else 1
    return [NewUnit(stage=BATCH, ordinal=ordinal, input={"bundles": [list(bundle) for bundle in bundles]})]


def _units(bundles: Sequence[Sequence[str]]) -> list[NewUnit]:
    return [NewUnit(stage=CODE, ordinal=n, input={"texts": list(bundle)}) for n, bundle in enumerate(bundles)]
