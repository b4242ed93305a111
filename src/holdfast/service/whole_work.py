"""The stages of a small survey that goes into one prompt whole: no vectors, no clusters, one paid call."""

import asyncio
from functools import partial
from uuid import UUID

from holdfast.codeframe import Prepared, WholeFrame, prepare, read_whole, whole_prompt, whole_stage
from holdfast.service.asking import Asking, Question
from holdfast.service.frames import Corpus, Work, frame_result, frame_writer
from holdfast.service.requests import GenerationConfig
from holdfast.service.stages import WHOLE
from holdfast.store import Database, answers, units
from holdfast.store.units import Done, OwedUnit


def ask_whole(prepared: Prepared, config: GenerationConfig, *, question: str | None) -> Question[WholeFrame]:
    """What a model is asked about all answers together."""
    frame = config.frame()
    return Question.of(
        "whole",
        config,
        whole_prompt(prepared, frame, question=question),
        lambda text, finish: read_whole(text, finish, prepared, frame),
    )


class WholeWork:
    """Asks for the frame, and makes it."""

    def __init__(self, database: Database, asking: Asking) -> None:
        self._database = database
        self._asking = asking

    async def whole(self, unit: OwedUnit, worker: str) -> Work:
        """The frame and every answer's codes, from one call; nothing is bought where no answer has to be read."""
        config = GenerationConfig.from_json(unit.config)
        corpus = await self._corpus(unit.ref.generation_id)
        found = WholeFrame()
        if corpus.prepared.distinct:
            category = await self._database.run(partial(answers.get_category, category_id=unit.category_id))
            asked = ask_whole(corpus.prepared, config, question=category.question)
            found = await self._asking.ask(unit, worker, asked)
        return Work(done=Done(result=found.to_json()))

    async def assemble(self, unit: OwedUnit, config: GenerationConfig) -> Work:
        """The codeframe, written in the transaction that ends the generation."""
        generation_id = unit.ref.generation_id
        corpus = await self._corpus(generation_id)
        stored = await self._database.run(lambda connection: units.results(connection, generation_id, WHOLE))
        found = WholeFrame.from_json(stored[0])
        frame = await asyncio.to_thread(whole_stage, corpus.texts, config.frame(), found)
        write = frame_writer(generation_id, frame, corpus.answer_ids, corpus.texts)
        return Work(done=Done(result=frame_result(frame)), write=write)

    async def _corpus(self, generation_id: UUID) -> Corpus:
        ids, texts = await self._database.run(lambda connection: answers.frozen_texts(connection, generation_id))
        return Corpus(answer_ids=ids, texts=texts, prepared=await asyncio.to_thread(prepare, texts))
