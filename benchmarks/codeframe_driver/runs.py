"""One peer on one set: run in a process of its own, in the rows' order and in another, and scored beside people."""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codeframe_driver.catalogue import Peer
from codeframe_driver.sets import Survey
from holdfast.codeframe.metrics import adjusted_rand, harmonic_purity, matched_accuracy, matched_macro_f1
from queue_driver.environments import Environment
from queue_driver.programs import Failed
from queue_driver.rows import Row

LIMIT = 1800.0  # seconds a peer has for a set


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a peer's program wrote."""

    surveys: list[dict[str, Any]]  # {"groups", "seconds", …} or {"error"}
    peak_mb: float


def row(
    peer: Peer, environment: Environment, surveys: list[Survey], *, limit: float = LIMIT, once: bool = False
) -> Row:
    """Means over the surveys that the peer could do; `failed` counts the others."""
    found = run(peer, environment, surveys, limit=limit)
    done = [(survey, one) for survey, one in zip(surveys, found.surveys, strict=True) if "groups" in one]
    errors = [one["error"] for one in found.surveys if "error" in one]
    if not done:
        raise Failed(errors[0])
    scored = [score(survey, one, taught=peer.taught) for survey, one in done]
    figures: Row = {name: float(np.mean([each[name] for each in scored])) for name in scored[0]}
    figures |= {"surveys": len(surveys), "failed": len(errors), "peak_mb": found.peak_mb}
    if errors:
        figures["first_failure"] = errors[0]
    if not (peer.taught or once):
        figures["shuffled_ari"] = shuffled(peer, environment, surveys, found, limit=limit)
    return figures


def score(survey: Survey, one: dict[str, Any], *, taught: bool = False) -> dict[str, float]:
    """Only rows with a human label count; those left without a group are a group of their own."""
    labels, groups = np.array(survey.labels), np.array(one["groups"])
    human, theirs = labels[labels != ""], groups[labels != ""]
    told = {name: float(value) for name, value in one.items() if name != "groups"}
    k = told.get("k", float(len(set(groups.tolist()) - {-1})))
    figures = {
        "k": k,
        "k_ratio": k / survey.k,
        "acc": matched_accuracy(human, theirs),
        "ari": adjusted_rand(human, theirs),
        "macro_f1": matched_macro_f1(human, theirs),
        "harmonic_purity": harmonic_purity(human, theirs),
        "unassigned": 0.0 if taught else float(np.mean(groups < 0)),
    }
    return told | figures


def shuffled(peer: Peer, environment: Environment, surveys: list[Survey], first: Found, *, limit: float) -> float:
    """How far a second run, on the rows in another order, groups them as the first did: an adjusted Rand index."""
    orders = [np.random.default_rng(1).permutation(len(survey.texts)) for survey in surveys]
    mixed = [survey.picked(order) for survey, order in zip(surveys, orders, strict=True)]
    second = run(peer, environment, mixed, limit=limit)
    agreed = [
        adjusted_rand(np.array(a["groups"])[order], b["groups"])
        for order, a, b in zip(orders, first.surveys, second.surveys, strict=True)
        if "groups" in a and "groups" in b
    ]
    return float(np.mean(agreed))


def run(peer: Peer, environment: Environment, surveys: list[Survey], *, limit: float = LIMIT) -> Found:
    """The peer's groups of every survey. Failed when its program ends badly or takes longer than the limit."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        folder = Path(name)
        for n, survey in enumerate(surveys):
            vectors: npt.NDArray[np.float32] = np.ascontiguousarray(survey.vectors, dtype=np.float32)
            np.save(folder / f"{n}.npy", vectors)
        asked = [
            {"texts": survey.texts, "labels": survey.labels if peer.taught else [], "k": survey.k} for survey in surveys
        ]
        (folder / "surveys.json").write_text(json.dumps(asked), encoding="utf-8")
        _start(environment, folder, limit)
        found = json.loads((folder / "found.json").read_text())
    return Found(surveys=found["surveys"], peak_mb=found["peak_mb"])


def _start(environment: Environment, folder: Path, limit: float) -> None:
    around = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            [*environment.command, str(folder)],
            env=around | environment.variables,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"took longer than {limit:.0f} s") from None
    if done.returncode:
        raise Failed(f"the program ended ({done.returncode}): {done.stderr.strip()[-300:]}")
