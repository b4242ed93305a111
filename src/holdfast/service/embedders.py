"""The embedding model: opened once a process, used by one unit at a time."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from holdfast.codeframe import Embedder, Vectors, open_embedder
from holdfast.errors import BadInput, NotConfigured, Problem
from holdfast.service.requests import GenerationConfig, is_paid

FREE = "HOLDFAST_EMBEDDER to minilm, lsa or fastembed:MODEL"

# Models that can make shorter vectors are asked for them: of 1,536 or 3,072 numbers a million answers are 6 or 12 GB,
# of these 2, and most of what the long ones tell is in them.
SHORTENED, DIMENSIONS = "openai:text-embedding-3-", 512


def sized(name: str) -> str:
    """The embedder's name with the length of the vectors that are asked of it, where it is asked for one."""
    return f"{name}@{DIMENSIONS}" if name.startswith(SHORTENED) else name


def asked_of(name: str) -> tuple[str, int | None]:
    """The model and the length that a sized name says; of an older generation's name: vectors as they come."""
    model, _, size = name.rpartition("@")
    return (model, int(size)) if model.startswith(SHORTENED) and size.isdecimal() else (name, None)


def check_embedder(config: GenerationConfig, name: str) -> None:
    """Raises BadInput where answers would have to be compared with codes by vectors that are bought."""
    if config.is_taught and is_paid(name):
        message = f"codes are compared with answers, and {name} is only paid for answers: set {FREE}"
        path = "examples" if config.frame_of is None else "frame_of"
        raise BadInput(f"{path}: {message}", problems=[Problem(path=path, message=message)])


class PaidEmbedder:
    """Stands for a provider's model where only its name is needed."""

    whole_corpus = False
    dim = 0

    def __init__(self, name: str) -> None:
        self.name = name

    def embed(self, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None) -> Vectors:
        """Raises NotConfigured: what costs money goes through a step (embedding_work.py)."""
        raise NotConfigured(f"vectors of {self.name} are bought for a generation's answers, and for nothing else")


class Embedders:
    """Opens embedders by name and keeps them.

    `turn`: a lock around embedding. One run already uses every core; two at once would only take each other's time.
    """

    def __init__(self, *, models: Path | None, cache: Path, first: str = "auto") -> None:
        """`first`: the name of the one that new generations use."""
        self.first = first
        self._models = models
        self._cache = cache
        self._opened: dict[str, Embedder] = {}
        self._opening = asyncio.Lock()
        self.turn = asyncio.Lock()

    def free(self) -> str:
        """The name of the one for a generation that agreed to buy no vectors. Raises NotConfigured."""
        if is_paid(self.first):
            raise NotConfigured(
                f"HOLDFAST_EMBEDDER is {self.first} for this worker, and was not where the generation was started: "
                f"nobody agreed to that cost; set {FREE} for the worker, or start the generation anew"
            )
        return self.first

    async def open(self, name: str) -> Embedder:
        """The embedder of that name; "auto" is the best one whose model is there.

        A name with its precision (minilm-int8), as a chunk of another process has it, must be met exactly: vectors of
        different embedders cannot be compared. Raises NotConfigured.
        """
        async with self._opening:
            if is_paid(name):
                return PaidEmbedder(name)
            if name not in self._opened:
                # A model's name may have dashes of its own; our own embedders say their precision behind one.
                kind, _, precision = (name, "", "") if ":" in name else name.partition("-")
                opened = await asyncio.to_thread(open_embedder, kind, models=self._models, cache=self._cache)
                if precision and opened.name != name:
                    raise NotConfigured(f"this generation was begun with {name}, this worker has {opened.name}")
                self._opened |= {name: opened, opened.name: opened}
            return self._opened[name]
