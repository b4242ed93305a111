"""The embedding model: opened once a process, used by one unit at a time."""

import asyncio
from pathlib import Path

from holdfast.codeframe import Embedder, open_embedder
from holdfast.errors import NotConfigured


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

    async def open(self, name: str) -> Embedder:
        """The embedder of that name; "auto" is the best one whose model is there.

        A name with its precision (minilm-int8), as a chunk of another process has it, must be met exactly: vectors of
        different embedders cannot be compared. Raises NotConfigured.
        """
        async with self._opening:
            if name not in self._opened:
                # A model's name may have dashes of its own; our own embedders say their precision behind one.
                kind, _, precision = (name, "", "") if ":" in name else name.partition("-")
                opened = await asyncio.to_thread(open_embedder, kind, models=self._models, cache=self._cache)
                if precision and opened.name != name:
                    raise NotConfigured(f"this generation was begun with {name}, this worker has {opened.name}")
                self._opened |= {name: opened, opened.name: opened}
            return self._opened[name]
