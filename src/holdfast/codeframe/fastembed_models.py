"""Embedding models of the package fastembed, many of them for other languages than English; it downloads them once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.codeframe.embedding import Progress
from holdfast.codeframe.values import Vectors
from holdfast.errors import BadInput, NotConfigured

PREFIX = "fastembed:"
EXAMPLE = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"


class FastEmbedder:
    """A model of fastembed's list; unit vectors."""

    whole_corpus = False

    BATCH = 64

    def __init__(self, model: str, *, cache: Path, threads: int = 2) -> None:
        """Raises NotConfigured without the package or if the model cannot be loaded, BadInput for an unknown model."""
        self.name = f"{PREFIX}{model}"
        self._model = _loaded(model, cache / "fastembed", threads)
        self.dim = int(self.embed(["dimensions"]).shape[1])

    def embed(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Unit rows, in the order of the texts."""
        found: list[Any] = []
        for vector in self._model.embed(list(texts), batch_size=self.BATCH):
            found.append(vector)
            if progress is not None and len(found) % self.BATCH == 0:
                progress(len(found), len(texts))
        if not found:
            return np.zeros((0, self.dim), dtype=np.float32)
        vectors = np.asarray(found, dtype=np.float32)
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _loaded(model: str, cache: Path, threads: int) -> Any:
    try:
        from fastembed import TextEmbedding  # noqa: PLC0415 - optional
    except ImportError as error:
        raise NotConfigured(f"{PREFIX}{model} needs the package fastembed: pip install fastembed") from error
    known = {str(each["model"]).casefold() for each in TextEmbedding.list_supported_models()}
    if model.casefold() not in known:
        raise BadInput(f"fastembed has no model {model!r}; one for many languages is {EXAMPLE}")
    try:
        return TextEmbedding(model_name=model, cache_dir=str(cache), threads=threads)
    except Exception as error:  # of whatever library it downloads or reads with
        raise NotConfigured(
            f"fastembed could not load {model} ({type(error).__name__}): it is downloaded when it is first used, so "
            f"this machine has to be online once, or have the model's files in {cache}"
        ) from error
