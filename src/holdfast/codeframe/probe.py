"""A linear probe from vectors to codes that starts at the codes' names and moves only as far as examples pull it.

Multinomial logistic regression whose penalty is the distance from prior weights instead of from zero (maximum a
posteriori with a Gaussian prior; Chelba and Acero, Computer Speech and Language 20, 2006). Without an example it is
nearness to the names; with a few it is near a shrunk prototype; with many it is the usual probe.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.values import Floats, Vectors

PENALTY = 0.1  # on the squared distance of the weights from the prior's
STEPS = 60
SHARES_PRIOR = 1.0  # how far even shares of all codes count against the estimated ones: 1 is as much as all answers
ROUNDS = 30
COLDEST, HOTTEST = 0.25, 8.0  # temperatures that are tried


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Weights and biases of the codes."""

    weights: Vectors  # (codes, width)
    biases: Vectors  # (codes,)

    def scores(self, vectors: Vectors) -> Floats:
        """Logits of each code for each row."""
        return np.asarray(vectors @ self.weights.T + self.biases, dtype=np.float64)


def train(vectors: Vectors, targets: Vectors, prior: Vectors) -> Probe:
    """Fit to the examples: `targets` are shares of each code for each row, `prior` the weights it starts from.

    Deterministic for the rows in one order; without rows it is the prior.
    """
    k, width = prior.shape
    if len(vectors) == 0:
        return Probe(weights=prior.astype(np.float32), biases=np.zeros(k, dtype=np.float32))
    from scipy.optimize import minimize  # noqa: PLC0415 - slow to import

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat[: k * width].reshape(k, width).astype(np.float32)
        biases = flat[k * width :].astype(np.float32)
        found = softmax(vectors @ weights.T + biases)
        moved = weights - prior
        value = -float((targets * np.log(np.maximum(found, 1e-12))).sum(dtype=np.float64))
        value += PENALTY / 2 * float((moved.astype(np.float64) ** 2).sum() + (biases.astype(np.float64) ** 2).sum())
        wrong = (found - targets).astype(np.float32)
        slope = np.concatenate([(wrong.T @ vectors + PENALTY * moved).ravel(), wrong.sum(axis=0) + PENALTY * biases])
        return value, slope.astype(np.float64)

    start = np.concatenate([prior.ravel(), np.zeros(k)]).astype(np.float64)
    found: Any = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "ftol": 1e-6})
    flat: Floats = found.x
    return Probe(
        weights=flat[: k * width].reshape(k, width).astype(np.float32), biases=flat[k * width :].astype(np.float32)
    )


def softmax(scores: npt.NDArray[np.floating]) -> Floats:
    """Shares of each row that sum to 1."""
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))


def shifted(scores: Floats, taught: Floats, weights: npt.NDArray[np.floating]) -> Floats:
    """What to add to each code's logit because codes are not as frequent among the answers as among the examples.

    The shares are estimated from the answers themselves (expectation maximisation of Saerens, Latinne and Decaestecker,
    Neural Computation 14, 2002), held back towards even ones; `weights` counts the rows that say each text.
    """
    even, total = np.full(len(taught), 1 / len(taught)), float(weights.sum())
    if total <= 0:
        return np.zeros(len(taught))
    found, shares = softmax(scores), even
    for _ in range(ROUNDS):
        turned = found * (shares / taught)
        turned /= np.maximum(turned.sum(axis=1, keepdims=True), 1e-12)
        mean = (turned * weights[:, None]).sum(axis=0) / total
        shares = (mean + SHARES_PRIOR * even) / (1 + SHARES_PRIOR)
    return np.asarray(np.log(shares / taught))


def temperature(scores: Floats, targets: Vectors) -> float:
    """What to divide logits by so that their probabilities fit held-out examples best (Guo et al., ICML 2017)."""
    tried = np.geomspace(COLDEST, HOTTEST, 41)
    losses = [-float((targets * np.log(np.maximum(softmax(scores / t), 1e-12))).sum()) for t in tried]
    return float(tried[int(np.argmin(losses))])
