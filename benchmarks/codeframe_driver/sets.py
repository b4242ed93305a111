"""Labelled answers: read from gzip CSV, split into surveys, and given their vectors."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from holdfast.codeframe import Embedder, Vectors, embed_chunk, plan_chunks, prepare, read_vectors

Order = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The answers to one question."""

    texts: list[str]
    labels: list[str]  # what a person made of each; "" for none
    vectors: Vectors  # of each

    @property
    def k(self) -> int:
        return len(set(self.labels) - {""})

    def picked(self, order: Order) -> "Survey":
        return Survey(
            texts=[self.texts[n] for n in order],
            labels=[self.labels[n] for n in order],
            vectors=self.vectors[order],
        )


def read(file: Path, *, most_rows: int | None = None, most_surveys: int | None = None) -> list[list[dict[str, str]]]:
    """The rows of each survey that has two codes or more; `group` makes many small surveys of one file."""
    groups: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            groups[row.get("group", "")].append(row)
    surveys = [groups[name] for name in sorted(groups)]
    surveys = [rows for rows in surveys if len({row["label"] for row in rows} - {""}) > 1]
    return [_sampled(rows, most_rows) for rows in surveys[:most_surveys]]


def _sampled(rows: list[Any], most: int | None) -> list[Any]:
    if most is None or len(rows) <= most:
        return rows
    return [rows[n] for n in np.sort(np.random.default_rng(0).choice(len(rows), most, replace=False))]


def embedded(rows: Sequence[dict[str, str]], embedder: Embedder) -> Survey:
    """The vectors are made as ours are, by chunks of the distinct texts; rows that say the same share one."""
    texts = [row["text"] for row in rows]
    prepared = prepare(texts)
    chunks = plan_chunks(prepared, whole_corpus=embedder.whole_corpus)
    made = read_vectors(embed_chunk(embedder, prepared.distinct[c.start : c.stop]) for c in chunks)
    vectors = made[prepared.index]
    ruled = np.flatnonzero(prepared.index < 0)  # "n/a", "nothing": ours needs no vectors of them, others do
    if len(ruled):
        vectors[ruled] = 0 if embedder.whole_corpus else embedder.embed([texts[n] or "-" for n in ruled])
    return Survey(texts=texts, labels=[row["label"] for row in rows], vectors=vectors)
