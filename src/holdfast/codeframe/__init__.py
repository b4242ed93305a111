"""From texts to a codeframe: pure stages whose results another process can read; no I/O but reading model files."""

from holdfast.codeframe.embedding import Embedder, open_embedder
from holdfast.codeframe.pipeline import (
    CHUNK,
    assemble_stage,
    build_codeframe,
    cluster_stage,
    embed_chunk,
    label_stage,
    plan_chunks,
    read_vectors,
)
from holdfast.codeframe.preprocess import Prepared, prepare
from holdfast.codeframe.values import (
    AssembledFrame,
    Assignments,
    Brief,
    ClusterLabel,
    ClusterResult,
    FrameConfig,
    Hierarchy,
    Mece,
    MeceIssue,
    Node,
    Vectors,
)

__all__ = [
    "CHUNK",
    "AssembledFrame",
    "Assignments",
    "Brief",
    "ClusterLabel",
    "ClusterResult",
    "Embedder",
    "FrameConfig",
    "Hierarchy",
    "Mece",
    "MeceIssue",
    "Node",
    "Prepared",
    "Vectors",
    "assemble_stage",
    "build_codeframe",
    "cluster_stage",
    "embed_chunk",
    "label_stage",
    "open_embedder",
    "plan_chunks",
    "prepare",
    "read_vectors",
]
