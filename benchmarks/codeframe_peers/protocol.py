"""What every peer does alike: read a survey's vectors, group them, and say what that took.

A peer is a program of its own, run by the Python of its own environment:
  PEER FOLDER
FOLDER holds surveys.json, a list of {"texts", "labels", "k"}, and 0.npy, 1.npy, … with a unit vector for each text;
k is the number of human codes, for those that must be told. Written there: found.json, a list of {"groups", "seconds"}
or {"error"}, in the surveys' order, and the process's peak memory. A group below 0 means: left without one. The
seconds are those after a small survey that is not timed: what a library compiles at its first use does not count.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass
class Survey:
    """Answers, their vectors, and what people made of them."""

    texts: list[str]
    labels: list[str]  # only for a peer that is taught; "" where nobody coded the answer
    k: int
    vectors: Any
    figures: dict[str, float] = field(default_factory=dict)  # what else the peer has to say


def serve(group: Callable[[Survey], Any]) -> None:
    """Group every survey of the folder that was named on the command line."""
    folder = Path(sys.argv[1])
    asked = json.loads((folder / "surveys.json").read_text(encoding="utf-8"))
    _answer(group, _toy())
    found = [_answer(group, Survey(**one, vectors=np.load(folder / f"{n}.npy"))) for n, one in enumerate(asked)]
    (folder / "found.json").write_text(json.dumps({"surveys": found, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """The most memory that this program held. Linux counts what its parent held into ru_maxrss, but not into VmHWM."""
    status = Path("/proc/self/status")
    told = status.read_text().partition("VmHWM:")[2].split() if status.exists() else []
    return (int(told[0]) if told else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


def _toy() -> Survey:
    """300 answers about six things."""
    random = np.random.default_rng(0)
    k, owner = 6, np.arange(300) % 6
    vectors = random.normal(size=(k, 384))[owner] + random.normal(size=(300, 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [f"the {'abcdef'[topic] * 4} of number {n}" for n, topic in enumerate(owner)]
    return Survey(texts, [f"{topic}" for topic in owner], k, vectors.astype(np.float32))


def _answer(group: Callable[[Survey], Any], survey: Survey) -> dict[str, Any]:
    begun = time.perf_counter()
    try:
        groups = group(survey)
    except Exception as error:  # noqa: BLE001 - a survey that a peer cannot do is a result of the comparison
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    seconds = time.perf_counter() - begun
    return {"groups": [int(one) for one in groups], "seconds": seconds, **survey.figures}
