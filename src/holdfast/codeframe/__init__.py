"""From texts to a codeframe: pure stages whose results another process can read; no I/O but reading model files."""

from holdfast.codeframe.briefing import MOST_EXEMPLARS, QUOTED
from holdfast.codeframe.briefing import OUTSIDERS as MOST_OUTSIDERS
from holdfast.codeframe.clustering import likely_clusters
from holdfast.codeframe.coding_types import code_directly
from holdfast.codeframe.embedding import Embedder, open_embedder
from holdfast.codeframe.evaluation import Codes, Evaluation, evaluate
from holdfast.codeframe.examples import Example, Learned, Thresholds, learn
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
from holdfast.codeframe.projection import Projection, project, sample_answers
from holdfast.codeframe.prompting import LabelPrompt, label_prompt
from holdfast.codeframe.reading import read_label
from holdfast.codeframe.values import (
    AssembledFrame,
    Assignments,
    Brief,
    ClusterLabel,
    ClusterResult,
    Exemplar,
    FrameConfig,
    Hierarchy,
    Mece,
    MeceIssue,
    Node,
    Vectors,
)

__all__ = [
    "CHUNK",
    "MOST_EXEMPLARS",
    "MOST_OUTSIDERS",
    "QUOTED",
    "AssembledFrame",
    "Assignments",
    "Brief",
    "ClusterLabel",
    "ClusterResult",
    "Codes",
    "Embedder",
    "Evaluation",
    "Example",
    "Exemplar",
    "FrameConfig",
    "Hierarchy",
    "LabelPrompt",
    "Learned",
    "Mece",
    "MeceIssue",
    "Node",
    "Prepared",
    "Projection",
    "Thresholds",
    "Vectors",
    "assemble_stage",
    "build_codeframe",
    "cluster_stage",
    "code_directly",
    "embed_chunk",
    "evaluate",
    "label_prompt",
    "label_stage",
    "learn",
    "likely_clusters",
    "open_embedder",
    "plan_chunks",
    "prepare",
    "project",
    "read_label",
    "read_vectors",
    "sample_answers",
]
