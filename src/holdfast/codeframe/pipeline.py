"""The stages a generation runs, each a function whose result another process can read.

texts -> prepare -> plan_chunks -> embed_chunk (x chunks) -> read_vectors -> cluster_stage -> label_stage (x clusters)
-> assemble_stage. `prepare` is cheap and is run again wherever a stage needs it; everything else is stored.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from holdfast.codeframe.assembly import assemble
from holdfast.codeframe.briefing import write_briefs
from holdfast.codeframe.clustering import Automatic, cluster
from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.grouping import theme_tree
from holdfast.codeframe.labelling import label_cluster
from holdfast.codeframe.packing import pack, unpack
from holdfast.codeframe.preprocess import Prepared, prepare
from holdfast.codeframe.proposals import Reviewed
from holdfast.codeframe.usual import usual_codes
from holdfast.codeframe.values import AssembledFrame, ClusterLabel, ClusterResult, FrameConfig, Vectors
from holdfast.codeframe.wording import worded

CHUNK = 1000  # distinct texts one embed unit takes: a second or two of work
CHUNK_CHARACTERS = 300_000  # together; long answers make chunks of fewer texts

__all__ = [
    "VectorStack",
    "assemble_stage",
    "build_codeframe",
    "cluster_stage",
    "embed_chunk",
    "label_stage",
    "plan_chunks",
    "prepare",
    "read_vectors",
]


def plan_chunks(
    prepared: Prepared, *, whole_corpus: bool = False, size: int = CHUNK, characters: int = CHUNK_CHARACTERS
) -> list[range]:
    """Which distinct texts each embed unit takes; one chunk for an embedder that needs the whole corpus.

    A chunk has at most `size` texts and so many characters, and at least one text.
    """
    n = len(prepared.distinct)
    if whole_corpus:
        return [range(n)] if n else []
    chunks: list[range] = []
    start = held = 0
    for place, text in enumerate(prepared.distinct):
        if place > start and (place - start == size or held + len(text) > characters):
            chunks.append(range(start, place))
            start, held = place, 0
        held += len(text)
    return [*chunks, range(start, n)] if n else []


def embed_chunk(
    embedder: Embedder, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None
) -> bytes:
    """Vectors of the texts as bytes (float16 rows); `progress(done, total)` is called now and then."""
    return pack_vectors(embedder.name, embedder.embed(texts, progress=progress))


def pack_vectors(embedder: str, vectors: Vectors) -> bytes:
    """A chunk's vectors as they are kept: float16 rows, with the name of the embedder that made them."""
    return pack({"embedder": embedder}, {"vectors": vectors.astype(np.float16)})


class VectorStack:
    """One matrix from chunks that come one after the other: each may be let go once it is added."""

    def __init__(self, n: int) -> None:
        """`n`: how many vectors there will be at most."""
        self._n, self._added, self._made_by = n, 0, ""
        self._rows: Vectors = np.zeros((0, 1), dtype=np.float32)

    def add(self, chunks: Iterable[bytes]) -> None:
        """Raises ValueError if two embedders made them, or there are more than was said."""
        for chunk in chunks:
            meta, arrays = unpack(chunk)
            part = arrays["vectors"]
            if not self._added:
                self._made_by = meta["embedder"]
                self._rows = np.empty((self._n, part.shape[1]), dtype=np.float32)
            if meta["embedder"] != self._made_by:
                both = ", ".join(sorted([meta["embedder"], self._made_by]))
                raise ValueError(f"vectors of different embedders must not be mixed: {both}")
            rows = self._rows[self._added : self._added + len(part)]
            if rows.shape != part.shape:  # numpy would spread one vector over what room there is, even none
                raise ValueError(f"{self._added + len(part):,} vectors or more where {self._n:,} were expected")
            rows[:] = part
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
            self._added += len(part)

    @property
    def vectors(self) -> Vectors:
        """Those that were added, in full precision."""
        return self._rows[: self._added]


def read_vectors(chunks: Iterable[bytes]) -> Vectors:
    """The vectors of all chunks, in their order; raises ValueError if two embedders made them."""
    kept = list(chunks)
    stack = VectorStack(sum(len(unpack(chunk)[1]["vectors"]) for chunk in kept))
    stack.add(kept)
    return stack.vectors


def cluster_stage(prepared: Prepared, vectors: Vectors, config: FrameConfig) -> ClusterResult:
    """The clusters, their tree, and for each a brief with all that a label unit needs."""
    found = cluster(
        vectors,
        prepared.weights,
        by=worded(vectors, prepared.distinct),
        n_clusters=config.n_clusters or _automatic(prepared, config),
        seed=config.seed,
    )
    briefs = write_briefs(prepared, vectors, found)
    return ClusterResult(
        labels=found.labels,
        nearest=found.nearest,
        affinity=found.affinity,
        centroids=found.centroids,
        tree=theme_tree(found.centroids, briefs),
        briefs=briefs,
        automatic=config.n_clusters is None,
        notes=found.notes,
    )


def _automatic(prepared: Prepared, config: FrameConfig) -> Automatic:
    return Automatic(usual=usual_codes(prepared.distinct), least=(config.min_cluster_size, config.min_samples))


def label_stage(
    k: int, clustering: ClusterResult, config: FrameConfig, *, embedder: Embedder | None = None
) -> ClusterLabel:
    """The offline label of cluster k, from its brief alone; an embedder makes the choice of words better."""
    del config  # a model labels in the target language; offline names keep the answers' own
    return label_cluster(clustering.briefs[k], clustering.centroids, embedder=embedder)


def assemble_stage(
    prepared: Prepared,
    vectors: Vectors,
    clustering: ClusterResult,
    labels: Mapping[int, ClusterLabel] | Reviewed,
    config: FrameConfig,
    *,
    embedder: Embedder | None = None,
) -> AssembledFrame:
    """The codeframe with every row coded; clusters without a label (failed units) end visibly in Other."""
    return assemble(prepared, vectors, clustering, labels, config, embedder=embedder)


def build_codeframe(
    texts: Sequence[str],
    config: FrameConfig,
    embedder: Embedder,
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> AssembledFrame:
    """All stages in this process, nothing stored; `progress(stage, done, total)`."""
    tell = progress or (lambda stage, done, total: None)
    prepared = prepare(texts)
    chunks = []
    plan = plan_chunks(prepared, whole_corpus=embedder.whole_corpus)
    for part in plan:
        chunks.append(embed_chunk(embedder, prepared.distinct[part.start : part.stop]))
        tell("embed", part.stop, len(prepared.distinct))
    vectors = read_vectors(chunks)
    clustering = cluster_stage(prepared, vectors, config)
    tell("cluster", 1, 1)
    labels = {}
    for k in range(clustering.n_clusters):
        labels[k] = label_stage(k, clustering, config, embedder=embedder)
        tell("label", k + 1, clustering.n_clusters)
    frame = assemble_stage(prepared, vectors, clustering, labels, config, embedder=embedder)
    tell("assemble", 1, 1)
    return frame
