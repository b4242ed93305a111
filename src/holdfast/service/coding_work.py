"""The stages of answers that are coded without clusters (brands, sentiments), and of those that a model codes."""

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from holdfast.codeframe import Reading, asked_texts, code_directly, coder_of, plan_bundles
from holdfast.service.batching import Batching
from holdfast.service.coding import Coding, ask_bundle, bundle_step
from holdfast.service.frames import Work, frame_result, frame_writer
from holdfast.service.requests import OFFLINE, GenerationConfig
from holdfast.service.stages import ASSEMBLE, BATCH, CODE
from holdfast.store import Database, answers, units
from holdfast.store.units import Done, NewUnit, OwedUnit


class CodingWork:
    """Reads what a unit needs, has it coded, and says what to commit."""

    def __init__(self, database: Database, coding: Coding, batching: Batching) -> None:
        self._database = database
        self._coding = coding
        self._batching = batching

    async def prepare(self, unit: OwedUnit, config: GenerationConfig) -> Work:
        """A unit for each bundle of the distinct texts that a model has to read; none where words are enough."""
        bundles: list[tuple[str, ...]] = []
        if config.model != OFFLINE:
            _, texts = await self._texts(unit.ref.generation_id)
            asked = await asyncio.to_thread(asked_texts, config.coding_type, texts, config.frame())
            bundles = plan_bundles(asked)
        if bundles and config.batch:
            following = [NewUnit(stage=BATCH, ordinal=0, input={"bundles": [list(bundle) for bundle in bundles]})]
        else:
            following = _units(bundles) or [NewUnit(stage=ASSEMBLE, ordinal=0)]
        return Work(done=Done(result={}), following=following)

    async def batch(self, unit: OwedUnit, worker: str, config: GenerationConfig) -> Work:
        """The first call of every bundle bought at once; the units that follow find their replies recorded."""
        bundles, coder = unit.input["bundles"], coder_of(config.coding_type, config.frame())
        question = await self._question(unit)
        asked = [
            ask_bundle(bundle_step(n), bundle, coder, config, question=question) for n, bundle in enumerate(bundles)
        ]
        result = await self._batching.run(unit, worker, asked)
        return Work(done=Done(result=result), following=_units(bundles))

    async def code(self, unit: OwedUnit, worker: str) -> Work:
        """What the model reads in the texts of one bundle."""
        config = GenerationConfig.from_json(unit.config)
        texts, coder = unit.input["texts"], coder_of(config.coding_type, config.frame())
        read = await self._coding.code(unit, worker, coder, texts, question=await self._question(unit))
        result = {"n_texts": len(texts), "n_read": len(read)}
        return Work(done=Done(output=json.dumps(read).encode(), result=result))

    async def assemble(self, unit: OwedUnit, config: GenerationConfig) -> Work:
        """The whole codeframe and every answer's codes, written in the transaction that ends the generation."""
        generation_id = unit.ref.generation_id
        ids, texts = await self._texts(generation_id)
        read = None if config.model == OFFLINE else await self._read(generation_id)
        frame = await asyncio.to_thread(code_directly, config.coding_type, texts, config.frame(), read)
        write = frame_writer(generation_id, frame, ids, texts)
        return Work(done=Done(result=frame_result(frame)), write=write)

    async def _question(self, unit: OwedUnit) -> str | None:
        category = await self._database.run(partial(answers.get_category, category_id=unit.category_id))
        return category.question

    async def _texts(self, generation_id: UUID) -> tuple[list[int], list[str]]:
        return await self._database.run(lambda connection: answers.frozen_texts(connection, generation_id))

    async def _read(self, generation_id: UUID) -> dict[str, Reading]:
        stored = await self._database.run(lambda connection: units.outputs(connection, generation_id, CODE))
        return {text: reading for output in stored.values() for text, reading in json.loads(output).items()}


def _units(bundles: Sequence[Sequence[str]]) -> list[NewUnit]:
    return [NewUnit(stage=CODE, ordinal=n, input={"texts": list(bundle)}) for n, bundle in enumerate(bundles)]
