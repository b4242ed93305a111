"""Ours, all of it after the vectors: clusters, labels, the frame, every answer coded. PEER_K=human tells it k.

PEER_MODELS is a folder for the embedding model, which names and descriptions are compared with.
"""

import os
import time
from pathlib import Path
from typing import Any

from protocol import Survey, serve

from holdfast.codeframe import FrameConfig, assemble_stage, cluster_stage, label_stage, open_embedder, prepare
from holdfast.codeframe.metrics import name_lift

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
    codes = {node.number: node.name for node in frame.nodes if node.kind == "content" and node.node_type == "code"}
    assembled = time.perf_counter()
    said, said_elsewhere = name_lift(codes, frame.assignments.best, survey.texts)
    survey.figures |= {
        "k": len(codes),
        "names_said": said,  # share of a code's answers that say its name
        "names_said_elsewhere": said_elsewhere,
        "mece": frame.mece.score,
        "cluster_s": clustered - begun,
        "label_s": labelled - clustered,
        "seconds": assembled - begun,  # without the time that measuring the names takes
        "assemble_s": assembled - labelled,
    }
    return [-1 if code == OTHER else code for code in frame.assignments.best.tolist()]


if __name__ == "__main__":
    serve(group)
