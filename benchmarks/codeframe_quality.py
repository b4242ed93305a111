"""How near our codeframes come to people's: python benchmarks/codeframe_quality.py FOLDER [--out FILE].

FOLDER holds labelled answers as gzip CSV (`text,label` first; `group` makes many small surveys of one file).
Only rows with a label are scored; every row is coded. k is tried unknown and as the number of human codes.
"""

import argparse
import csv
import gzip
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.codeframe import (
    Embedder,
    FrameConfig,
    Prepared,
    Vectors,
    assemble_stage,
    cluster_stage,
    embed_chunk,
    label_stage,
    open_embedder,
    plan_chunks,
    prepare,
    read_vectors,
)
from holdfast.codeframe.metrics import adjusted_rand, harmonic_purity, matched_accuracy, matched_macro_f1

Row = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "holdfast-models")
    asked = parser.parse_args()
    files = sorted(asked.folder.glob("*.csv.gz"))
    if not files:
        sys.exit(f"no *.csv.gz in {asked.folder}")
    embedder = open_embedder(asked.embedder, cache=asked.cache)
    results = [result for file in files for result in score_file(file, embedder)]
    if asked.out:
        machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
        asked.out.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")


def score_file(file: Path, embedder: Embedder) -> list[dict[str, Any]]:
    """One line with k unknown and one with k given; a file of groups is scored as the mean of its groups."""
    surveys: dict[str, list[Row]] = defaultdict(list)
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            surveys[row.get("group", "")].append(row)
    surveys = {name: rows for name, rows in surveys.items() if len({row["label"] for row in rows} - {""}) > 1}
    embedded = {name: _embed([row["text"] for row in rows], embedder) for name, rows in surveys.items()}
    results = []
    for known in (False, True):
        scored = [_score(rows, *embedded[name], embedder, known=known) for name, rows in surveys.items()]
        if scored:
            mean = {key: round(float(np.mean([one[key] for one in scored])), 4) for key in scored[0]}
            results.append({"set": file.name.split(".")[0], "k_known": known, "surveys": len(scored), **mean})
            print("  ".join(f"{key}={value}" for key, value in results[-1].items()), flush=True)
    return results


def _embed(texts: list[str], embedder: Embedder) -> tuple[Prepared, Vectors, float]:
    prepared = prepare(texts)
    chunks = plan_chunks(prepared, whole_corpus=embedder.whole_corpus)
    seconds, vectors = _timed(
        lambda: read_vectors(embed_chunk(embedder, prepared.distinct[c.start : c.stop]) for c in chunks)
    )
    return prepared, vectors, seconds


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    value = act()
    return time.perf_counter() - begun, value


def _score(
    rows: list[Row], prepared: Prepared, vectors: Vectors, seconds: float, embedder: Embedder, *, known: bool
) -> dict[str, float]:
    labels = np.array([row["label"] for row in rows])
    k_true = len(set(labels.tolist()) - {""})
    config = FrameConfig(n_clusters=k_true if known else None)
    clustering_seconds, clustering = _timed(lambda: cluster_stage(prepared, vectors, config))
    labelling_seconds, named = _timed(
        lambda: {k: label_stage(k, clustering, config, embedder=embedder) for k in range(clustering.n_clusters)}
    )
    assembling_seconds, frame = _timed(
        lambda: assemble_stage(prepared, vectors, clustering, named, config, embedder=embedder)
    )
    human, ours = labels[labels != ""], frame.assignments.best[labels != ""]
    codes = sum(node.kind == "content" and node.node_type == "code" for node in frame.nodes)
    return {
        "k": codes,
        "k_ratio": codes / k_true,
        "acc": matched_accuracy(human, ours),
        "ari": adjusted_rand(human, ours),
        "macro_f1": matched_macro_f1(human, ours),
        "harmonic_purity": harmonic_purity(human, ours),
        "other": float(np.mean(frame.assignments.best == 995)),
        "mece": frame.mece.score,
        "embed_s": seconds,
        "cluster_s": clustering_seconds,
        "label_s": labelling_seconds,
        "assemble_s": assembling_seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
