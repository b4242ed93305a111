"""Ours, all of it after the vectors: clusters, labels, the frame, every answer coded. PEER_K=human tells it k.

PEER_MODELS is a folder for the embedding model, which names and descriptions are compared with.
"""

import os
import time
from pathlib import Path
from typing import Any

from protocol import Survey, serve

from holdfast.codeframe import FrameConfig, assemble_stage, cluster_stage, label_stage, open_embedder, prepare

OTHER = 995  # the code of answers that fit no other
EMBEDDER = open_embedder(os.environ.get("PEER_EMBEDDER", "auto"), cache=Path(os.environ["PEER_MODELS"]))


def group(survey: Survey) -> Any:
    begun = time.perf_counter()
    config = FrameConfig(n_clusters=survey.k if os.environ.get("PEER_K") == "human" else None)
    prepared = prepare(survey.texts)
    vectors = survey.vectors[prepared.first_row]
    clustering = cluster_stage(prepared, vectors, config)
    clustered = time.perf_counter()
    named = {k: label_stage(k, clustering, config, embedder=EMBEDDER) for k in range(clustering.n_clusters)}
    labelled = time.perf_counter()
    frame = assemble_stage(prepared, vectors, clustering, named, config, embedder=EMBEDDER)
    survey.figures |= {
        "k": sum(node.kind == "content" and node.node_type == "code" for node in frame.nodes),
        "mece": frame.mece.score,
        "cluster_s": clustered - begun,
        "label_s": labelled - clustered,
        "assemble_s": time.perf_counter() - labelled,
    }
    return [-1 if code == OTHER else code for code in frame.assignments.best.tolist()]


if __name__ == "__main__":
    serve(group)
