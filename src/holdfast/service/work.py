"""What each stage does with its unit: read what it needs, compute in a thread, say what to commit."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from uuid import UUID

from holdfast.codeframe import (
    AssembledFrame,
    ClusterLabel,
    ClusterResult,
    Embedder,
    Part,
    Proposal,
    Remembering,
    Reviewed,
    Vectors,
    assemble_stage,
    cluster_stage,
    mostly_foreign,
    plan_chunks,
    plan_parts,
    prepare,
    recode,
    wants_review,
)
from holdfast.service.asking import Question
from holdfast.service.batching import Batching
from holdfast.service.coding_work import CodingWork
from holdfast.service.embedders import check_embedder, sized
from holdfast.service.embedding_work import EmbeddingWork, plan_paid, stored_vectors
from holdfast.service.frames import Corpus, Work, frame_result, frame_writer
from holdfast.service.labelling import Labelling, ask, ask_review
from holdfast.service.next_wave import code_with_frame
from holdfast.service.requests import OFFLINE, GenerationConfig, is_paid
from holdfast.service.stages import BATCH, CLUSTER, DRAFT, EMBED, LABEL, PREPARE, REVIEW, WHOLE
from holdfast.service.whole_work import WholeWork
from holdfast.store import Database, answers, units
from holdfast.store.units import Done, NewUnit, OwedUnit

NO_MODEL = "no embedding model was found; answers were compared by their words alone, which finds coarser codes"

FOREIGN = (
    "most answers do not seem to be in English, which is all that the embedding model was made for: codes may mix what "
    "does not belong together. Set HOLDFAST_EMBEDDER to lsa (words alone, any language), or to fastembed:MODEL or "
    "openai:MODEL with a model for your language, and generate anew"
)

NO_REVIEW = "the model's review of the codeframe brought nothing usable; merges and themes are those found without it"


def _labels(n_clusters: int, config: GenerationConfig, parts: Mapping[int, Sequence[Part]]) -> list[NewUnit]:
    """A unit for each cluster; that of a large one brings its parts along, so that it need not read all answers."""
    if config.batch and n_clusters:
        return [NewUnit(stage=BATCH, ordinal=0, input={"n_clusters": n_clusters})]
    told = {k: {"parts": [[asdict(answer) for answer in part] for part in found]} for k, found in parts.items()}
    return [NewUnit(stage=LABEL, ordinal=k, input=told.get(k, {})) for k in range(n_clusters)]


class StageWork:
    """The stages. Texts come from the database and go into threads; the event loop stays free."""

    def __init__(
        self,
        database: Database,
        embedding: EmbeddingWork,
        labelling: Labelling,
        coding: CodingWork,
        whole: WholeWork,
        batching: Batching,
    ) -> None:
        self._database = database
        self._embedders, self.embed = embedding.embedders, embedding.embed
        self._labelling = labelling
        self._coding = coding
        self._whole = whole
        self.code, self.whole = coding.code, whole.whole
        self._batching = batching
        self._reading = asyncio.Lock()
        self._clusters: tuple[UUID, ClusterResult] | None = None
        self._asked_in: answers.Category | None = None

    async def prepare(self, unit: OwedUnit, worker: str) -> Work:
        """Fold identical answers, and split what is left to embed into chunks; none where nothing is clustered."""
        config = GenerationConfig.from_json(unit.config)
        if config.is_direct:
            return await self._coding.prepare(unit, config)
        if config.whole:
            return Work(done=Done(result={}), following=[NewUnit(stage=WHOLE, ordinal=0)])
        corpus = await self._corpus(unit.ref.generation_id)
        embedder = await self._embedders.open(config.embedder or self._embedders.free())
        distinct, name = corpus.prepared.distinct, sized(embedder.name)
        check_embedder(config, name)
        if is_paid(name):
            chunks = plan_paid(corpus.prepared)
        else:
            chunks = plan_chunks(corpus.prepared, whole_corpus=embedder.whole_corpus)
        following = [
            NewUnit(
                stage=EMBED,
                ordinal=ordinal,
                input={"embedder": name, "texts": list(distinct[chunk.start : chunk.stop])},
            )
            for ordinal, chunk in enumerate(chunks)
        ]
        return Work(done=Done(result={"n_distinct": len(distinct), "embedder": name}), following=following)

    async def cluster(self, unit: OwedUnit, worker: str) -> Work:
        """The clusters, and for each a brief with all that its label needs."""
        config = GenerationConfig.from_json(unit.config)
        corpus, vectors = await self._vectors(unit.ref.generation_id)
        found = await asyncio.to_thread(cluster_stage, corpus.prepared, vectors, config.frame())
        above = config.map_above if config.maps else 0
        parts = await asyncio.to_thread(plan_parts, corpus.prepared, vectors, found, above=above)
        result = {"n_clusters": found.n_clusters, "notes": list(found.notes)}
        following = _labels(found.n_clusters, config, parts)
        return Work(done=Done(output=found.to_bytes(), result=result), following=following)

    async def batch(self, unit: OwedUnit, worker: str) -> Work:
        """Every label bought at once; the label units that follow find their replies recorded."""
        config = GenerationConfig.from_json(unit.config)
        if "bundles" in unit.input:
            return await self._coding.batch(unit, worker, config)
        asked = [await self._question(unit, k) for k in range(unit.input["n_clusters"])]
        result = await self._batching.run(unit, worker, asked)
        following = [NewUnit(stage=LABEL, ordinal=k) for k in range(len(asked))]
        return Work(done=Done(result=result), following=following)

    async def label(self, unit: OwedUnit, worker: str) -> Work:
        """One cluster's label: in words of the answers, or a model's."""
        if unit.config["model"] == OFFLINE:
            clustering = await self._clustering(unit.ref.generation_id)
            embedder = await self._phrase_embedder(unit.ref.generation_id)
            label = await self._labelling.offline(unit, worker, clustering, embedder)
        elif "parts" in unit.input:
            brief = (await self._clustering(unit.ref.generation_id)).briefs[unit.ref.ordinal]
            question = (await self._category(unit.category_id)).question
            label = await self._labelling.by_parts(unit, worker, brief, question=question)
        else:
            label = await self._labelling.by_model(unit, worker, await self._question(unit, unit.ref.ordinal))
        return Work(done=Done(result=label.to_json()))

    async def review(self, unit: OwedUnit, worker: str) -> Work:
        """A model's proposal for the frame as a whole; where none could change anything, nothing is bought."""
        config = GenerationConfig.from_json(unit.config)
        clustering = await self._clustering(unit.ref.generation_id)
        labels = await self._labels(unit.ref.generation_id)
        proposal = Proposal()
        if wants_review(labels, config.frame()):
            category = await self._category(unit.category_id)
            asked = ask_review(clustering.briefs, labels, config, question=category.question)
            proposal = await self._labelling.by_model(unit, worker, asked)
        return Work(done=Done(result=proposal.to_json()))

    async def draft(self, unit: OwedUnit, worker: str) -> Work:
        """The frame by its clusters, for a model to code the answers against."""
        config = GenerationConfig.from_json(unit.config)
        corpus, frame, _ = await self._frame(unit, config)
        return await asyncio.to_thread(self._coding.draft, unit, config, corpus, frame)

    async def assemble(self, unit: OwedUnit, worker: str) -> Work:
        """The whole codeframe and every answer's codes, written in the transaction that ends the generation."""
        config = GenerationConfig.from_json(unit.config)
        if config.is_direct:
            return await self._coding.assemble(unit, config)
        if config.is_taught:
            return await self._with_frame(unit.ref.generation_id, config)
        if config.whole:
            return await self._whole.assemble(unit, config)
        corpus, frame, embedder = await self._drafted(unit.ref.generation_id) or await self._frame(unit, config)
        name = await self._embedded_by(unit.ref.generation_id)
        if config.code_answers:
            read = await self._coding.read(unit.ref.generation_id)
            frame = await asyncio.to_thread(recode, frame, corpus.prepared, corpus.texts, read, embedder=embedder)
        write = frame_writer(unit.ref.generation_id, frame, corpus.answer_ids, corpus.texts)
        result = frame_result(frame)
        if name == "lsa":
            result["notes"].append(NO_MODEL)
        elif name.startswith("minilm") and await asyncio.to_thread(mostly_foreign, corpus.prepared.distinct):
            result["notes"].append(FOREIGN)
        return Work(done=Done(result=result), write=write)

    async def _frame(self, unit: OwedUnit, config: GenerationConfig) -> tuple[Corpus, AssembledFrame, Embedder | None]:
        generation_id = unit.ref.generation_id
        corpus, vectors = await self._vectors(generation_id)
        clustering = await self._clustering(generation_id)
        reviewed = await self._reviewed(generation_id, config)
        embedder = await self._phrase_embedder(generation_id)
        frame = await asyncio.to_thread(
            lambda: assemble_stage(corpus.prepared, vectors, clustering, reviewed, config.frame(), embedder=embedder)
        )
        return corpus, frame, embedder

    async def _drafted(self, generation_id: UUID) -> tuple[Corpus, AssembledFrame, Embedder | None] | None:
        """The frame against which a model has coded the answers; None where there is none."""
        stored = await self._database.run(lambda connection: units.outputs(connection, generation_id, DRAFT))
        if not stored:
            return None
        corpus, embedder = await self._corpus(generation_id), await self._phrase_embedder(generation_id)
        return corpus, await asyncio.to_thread(AssembledFrame.from_bytes, stored[0]), embedder

    async def _with_frame(self, generation_id: UUID, config: GenerationConfig) -> Work:
        embedder = await self._embedders.open(await self._embedded_by(generation_id))
        if not embedder.whole_corpus:  # that one has to see the codes and both waves together
            corpus, vectors = await self._vectors(generation_id)
            embedder = Remembering(embedder, corpus.prepared.distinct, vectors)
        async with self._embedders.turn:
            return await code_with_frame(self._database, generation_id, config, embedder)

    async def _labels(self, generation_id: UUID) -> dict[int, ClusterLabel]:
        replies = await self._database.run(lambda connection: units.results(connection, generation_id, LABEL))
        return {k: ClusterLabel.from_json(reply) for k, reply in replies.items()}

    async def _reviewed(self, generation_id: UUID, config: GenerationConfig) -> Reviewed:
        """The labels with a model's proposal; a frame it was asked about in vain says so."""
        labels = await self._labels(generation_id)
        found = await self._database.run(lambda connection: units.results(connection, generation_id, REVIEW))
        if found:
            return Reviewed(labels=labels, proposal=Proposal.from_json(found[0]))
        return Reviewed(labels=labels, proposal=Proposal(notes=(NO_REVIEW,) if config.review else ()))

    async def _question(self, unit: OwedUnit, k: int) -> Question[ClusterLabel]:
        clustering = await self._clustering(unit.ref.generation_id)
        category = await self._category(unit.category_id)
        return ask(clustering.briefs[k], GenerationConfig.from_json(unit.config), question=category.question)

    async def _category(self, category_id: int) -> answers.Category:
        if self._asked_in is None or self._asked_in.id != category_id:
            self._asked_in = await self._database.run(partial(answers.get_category, category_id=category_id))
        return self._asked_in

    async def _phrase_embedder(self, generation_id: UUID) -> Embedder | None:
        """The embedder that made the answers' vectors; None if it needs a whole corpus, or each phrase would cost."""
        embedder = await self._embedders.open(await self._embedded_by(generation_id))
        return None if embedder.whole_corpus or is_paid(embedder.name) else embedder

    async def _embedded_by(self, generation_id: UUID) -> str:
        prepared = await self._database.run(lambda connection: units.results(connection, generation_id, PREPARE))
        return str(prepared[0]["embedder"])

    async def _clustering(self, generation_id: UUID) -> ClusterResult:
        # Every label of a generation reads the same clusters: a process reads them once.
        async with self._reading:
            if self._clusters is None or self._clusters[0] != generation_id:
                stored = await self._database.run(lambda connection: units.outputs(connection, generation_id, CLUSTER))
                self._clusters = generation_id, await asyncio.to_thread(ClusterResult.from_bytes, stored[0])
            return self._clusters[1]

    async def _corpus(self, generation_id: UUID) -> Corpus:
        ids, texts = await self._database.run(lambda connection: answers.frozen_texts(connection, generation_id))
        return Corpus(answer_ids=ids, texts=texts, prepared=await asyncio.to_thread(prepare, texts))

    async def _vectors(self, generation_id: UUID) -> tuple[Corpus, Vectors]:
        corpus = await self._corpus(generation_id)
        return corpus, await stored_vectors(self._database, generation_id, len(corpus.prepared.distinct))
