"""The vectors of a chunk of answers: computed here, or a provider's, each chunk a paid step like a model's label."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np

from holdfast.codeframe import Prepared, Vectors, VectorStack, embed_chunk, pack_vectors, plan_chunks
from holdfast.durable import Reply
from holdfast.errors import BadReply, Conflict
from holdfast.llm import Embedded, Price, count_embedded
from holdfast.service.asking import Asking, first_usable
from holdfast.service.embedders import Embedders, asked_of
from holdfast.service.frames import Work
from holdfast.service.models import Models, Turn
from holdfast.service.requests import GenerationConfig, is_paid
from holdfast.service.stages import EMBED
from holdfast.store import Database, units
from holdfast.store.units import Done, OwedUnit

# Of one call: a reply that is kept as a row of one or two megabytes, and fewer than the 300,000 tokens that OpenAI
# takes at most, in scripts that need two for a character too.
CHUNK, CHARACTERS = 200, 100_000

GONE = "the vectors of the generation's answers are not kept any more; generate it anew"
AT_ONCE = 32  # chunks that are read together: about 25 MB


def plan_paid(prepared: Prepared) -> list[range]:
    """Which distinct texts each call takes."""
    return plan_chunks(prepared, size=CHUNK, characters=CHARACTERS)


async def stored_vectors(database: Database, generation_id: UUID, n: int) -> Vectors:
    """The vectors of a generation's `n` distinct texts, unit rows; chunks are read and let go, a few at a time.

    Raises Conflict if they are not all kept, or of other texts than this release takes for distinct.
    """
    stack, after = VectorStack(n), -1
    while chunks := await database.run(
        partial(units.outputs, generation_id=generation_id, stage=EMBED, after=after, limit=AT_ONCE)
    ):
        try:
            await asyncio.to_thread(stack.add, chunks.values())
        except ValueError as error:
            raise Conflict(f"{GONE} ({error})") from error
        after = max(chunks)
    if len(stack.vectors) != n:
        raise Conflict(GONE)
    return stack.vectors


class EmbeddingWork:
    """The stage that makes vectors, with whatever made the generation's first ones."""

    def __init__(self, embedders: Embedders, asking: Asking, models: Models) -> None:
        self.embedders = embedders
        self._asking = asking
        self._models = models

    async def embed(self, unit: OwedUnit, worker: str) -> Work:
        """The vectors of one chunk of distinct texts."""
        name, texts = unit.input["embedder"], unit.input["texts"]
        if is_paid(name):
            vectors = await first_usable(unit, f"embed/{unit.ref.ordinal}", partial(self._buy, unit, worker))
            return Work(done=Done(output=await asyncio.to_thread(pack_vectors, name, vectors)))
        embedder = await self.embedders.open(name)
        async with self.embedders.turn:
            output = await asyncio.to_thread(embed_chunk, embedder, texts)
        return Work(done=Done(output=output))

    async def _buy(self, unit: OwedUnit, worker: str, step: str) -> Vectors:
        """Unit rows, of the texts in their order. Raises as a paid question does."""
        texts = unit.input["texts"]
        steps = self._asking.steps(unit, worker, GenerationConfig.from_json(unit.config))
        model, size = asked_of(unit.input["embedder"])
        client, price = await self._models.ready(model), self._models.price(model, speaks=False)
        tokens = count_embedded(texts)
        async with self._models.turn(model, tokens=tokens) as turn:
            found: Mapping[str, Any] = await steps.run(
                step,
                partial(_call, turn, texts, size, price),
                inputs={"texts": list(texts)} | ({} if size is None else {"dimensions": size}),
                model=model,
                reserve=price.most(input_tokens=tokens, max_tokens=0),
                credential=client.credential,
            )
        return _read(found)


async def _call(turn: Turn, texts: Sequence[str], size: int | None, price: Price) -> Reply:
    embedded = await turn.embed(texts, dimensions=size)
    value = {"wrong": embedded.wrong} if embedded.wrong else _kept(embedded, size)
    return Reply(value=value, cost=price.cost(embedded.usage), usage=asdict(embedded.usage))


def _kept(embedded: Embedded, size: int | None) -> dict[str, Any]:
    """The vectors as a step keeps them."""
    vectors = np.asarray(embedded.vectors, dtype=np.float32)[:, :size]  # a host that knows no lengths sends all
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return {"dim": vectors.shape[1], "float16": base64.b64encode(vectors.astype("<f2").tobytes()).decode()}


def _read(reply: Mapping[str, Any]) -> Vectors:
    """The vectors of a reply that is kept. Raises BadReply if it had none."""
    if wrong := reply.get("wrong"):
        raise BadReply(f"the provider's reply {wrong}; its cost is recorded", kind="wrong_schema")
    stored = np.frombuffer(base64.b64decode(reply["float16"]), dtype="<f2").reshape(-1, int(reply["dim"]))
    return stored.astype(np.float32)
