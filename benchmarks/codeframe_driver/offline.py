"""The offline pipeline on one CSV file, timed stage by stage: python offline.py FILE MODELS EMBEDDER; prints JSON.

A process of its own for each size, because the peak of its memory never goes down again.
"""

import csv
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from codeframe_driver.word_vectors import WordVectors
from codeframe_peers.protocol import peak_mb
from holdfast.codeframe import (
    Embedder,
    FrameConfig,
    assemble_stage,
    cluster_stage,
    embed_chunk,
    label_stage,
    open_embedder,
    plan_chunks,
    prepare,
    read_vectors,
)

T = TypeVar("T")


class Stages:
    """Seconds of each stage, and how high memory had been at its end."""

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}

    def timed(self, name: str, act: Callable[[], T]) -> T:
        begun = time.perf_counter()
        value = act()
        self.figures[f"{name}_s"] = round(time.perf_counter() - begun, 2)
        self.figures[f"{name}_mb"] = round(peak_mb())
        print(json.dumps({name: self.figures[f"{name}_s"]}), file=sys.stderr, flush=True)
        return value


def main(file: Path, models: Path, embedder_name: str) -> None:
    stages, config = Stages(), FrameConfig()
    begun = time.perf_counter()
    texts = stages.timed("read", lambda: read(file))
    prepared = stages.timed("prepare", lambda: prepare(texts))
    embedder = stages.timed("model", lambda: opened(embedder_name, models))
    chunks = plan_chunks(prepared, whole_corpus=embedder.whole_corpus)
    vectors = stages.timed(
        "embed", lambda: read_vectors(embed_chunk(embedder, prepared.distinct[c.start : c.stop]) for c in chunks)
    )
    found = stages.timed("cluster", lambda: cluster_stage(prepared, vectors, config))
    labels = stages.timed(
        "label", lambda: {k: label_stage(k, found, config, embedder=embedder) for k in range(found.n_clusters)}
    )
    frame = stages.timed(
        "assemble", lambda: assemble_stage(prepared, vectors, found, labels, config, embedder=embedder)
    )
    seconds = round(time.perf_counter() - begun, 2)
    about = {"distinct": len(prepared.distinct), "codes": found.n_clusters, "rows": len(frame.assignments.best)}
    peak = round(peak_mb())
    print(json.dumps(about | stages.figures | {"seconds": seconds, "peak_mb": peak, "embedder": embedder.name}))


def opened(name: str, models: Path) -> Embedder:
    return WordVectors() if name == WordVectors.name else open_embedder(name, cache=models)


def read(file: Path) -> list[str]:
    with file.open(encoding="utf-8", newline="") as lines:
        return [row["text"] for row in csv.DictReader(lines)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
