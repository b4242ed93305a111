"""From texts to a codeframe: pure stages whose results another process can read; no I/O but reading model files."""

from holdfast.codeframe.assembly import OTHER_NAME
from holdfast.codeframe.briefing import MOST_EXEMPLARS
from holdfast.codeframe.briefing import OUTSIDERS as MOST_OUTSIDERS
from holdfast.codeframe.bundles import Coder, Reading, bundle_prompt, plan_bundles, read_bundle
from holdfast.codeframe.coding_types import asked_texts, code_directly, coder_of
from holdfast.codeframe.embedding import Embedder, Remembering, open_embedder
from holdfast.codeframe.evaluation import Codes, Evaluation, evaluate
from holdfast.codeframe.examples import Example, Learned, Thresholds, learn
from holdfast.codeframe.exemplars import QUOTED
from holdfast.codeframe.frame_coder import FrameCoder, recode
from holdfast.codeframe.languages import mostly_foreign
from holdfast.codeframe.map_reduce import MOST_POINTS, MapPoint, map_prompt, numbered_answers, read_map, reduce_prompt
from holdfast.codeframe.parts import ABOVE as MAP_ABOVE
from holdfast.codeframe.parts import ANSWERS as MOST_ANSWERS
from holdfast.codeframe.parts import MOST as MOST_PARTS
from holdfast.codeframe.parts import PART_CHARS, Part, count_parts, most_parts, plan_parts
from holdfast.codeframe.pipeline import (
    CHUNK,
    VectorStack,
    assemble_stage,
    build_codeframe,
    cluster_stage,
    embed_chunk,
    label_stage,
    pack_vectors,
    plan_chunks,
    read_vectors,
)
from holdfast.codeframe.preprocess import Prepared, prepare
from holdfast.codeframe.projection import Projection, project, sample_answers
from holdfast.codeframe.prompting import Prompt, label_prompt
from holdfast.codeframe.proposals import Proposal, Reviewed
from holdfast.codeframe.reading import read_label
from holdfast.codeframe.reframing import folded, named_codes, named_frame, reframe
from holdfast.codeframe.reviewing import read_review, review_prompt, wants_review
from holdfast.codeframe.rules import RULES
from holdfast.codeframe.suggestions import suggest
from holdfast.codeframe.usual import likely_clusters
from holdfast.codeframe.values import (
    OTHER_NUMBER,
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
from holdfast.codeframe.waves import (
    CodedRows,
    Drift,
    KnownCode,
    NewTheme,
    Taught,
    Wave,
    code_wave,
    compared_with,
    drift,
    weak_examples,
)
from holdfast.codeframe.whole import MOST_TEXTS as MOST_WHOLE
from holdfast.codeframe.whole import WholeFrame, read_whole, whole_prompt, whole_stage

__all__ = [
    "CHUNK",
    "MAP_ABOVE",
    "MOST_ANSWERS",
    "MOST_EXEMPLARS",
    "MOST_OUTSIDERS",
    "MOST_PARTS",
    "MOST_POINTS",
    "MOST_WHOLE",
    "OTHER_NAME",
    "OTHER_NUMBER",
    "PART_CHARS",
    "QUOTED",
    "RULES",
    "AssembledFrame",
    "Assignments",
    "Brief",
    "ClusterLabel",
    "ClusterResult",
    "CodedRows",
    "Coder",
    "Codes",
    "Drift",
    "Embedder",
    "Evaluation",
    "Example",
    "Exemplar",
    "FrameCoder",
    "FrameConfig",
    "Hierarchy",
    "KnownCode",
    "Learned",
    "MapPoint",
    "Mece",
    "MeceIssue",
    "NewTheme",
    "Node",
    "Part",
    "Prepared",
    "Projection",
    "Prompt",
    "Proposal",
    "Reading",
    "Remembering",
    "Reviewed",
    "Taught",
    "Thresholds",
    "VectorStack",
    "Vectors",
    "Wave",
    "WholeFrame",
    "asked_texts",
    "assemble_stage",
    "build_codeframe",
    "bundle_prompt",
    "cluster_stage",
    "code_directly",
    "code_wave",
    "coder_of",
    "compared_with",
    "count_parts",
    "drift",
    "embed_chunk",
    "evaluate",
    "folded",
    "label_prompt",
    "label_stage",
    "learn",
    "likely_clusters",
    "map_prompt",
    "most_parts",
    "mostly_foreign",
    "named_codes",
    "named_frame",
    "numbered_answers",
    "open_embedder",
    "pack_vectors",
    "plan_bundles",
    "plan_chunks",
    "plan_parts",
    "prepare",
    "project",
    "read_bundle",
    "read_label",
    "read_map",
    "read_review",
    "read_vectors",
    "read_whole",
    "recode",
    "reduce_prompt",
    "reframe",
    "review_prompt",
    "sample_answers",
    "suggest",
    "wants_review",
    "weak_examples",
    "whole_prompt",
    "whole_stage",
]
