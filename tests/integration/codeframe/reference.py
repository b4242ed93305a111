"""The encoder once more, in plain numpy, to compare the ONNX graph with."""

import numpy as np
import numpy.typing as npt
from scipy.special import erf, softmax

Array = npt.NDArray[np.float64]


def forward(weights: dict[str, npt.NDArray[np.float32]], ids: list[int]) -> Array:
    """The unit vector of one text's token ids."""
    w = {name: value.astype(np.float64) for name, value in weights.items() if not name.endswith("position_ids")}
    x = w["embeddings.word_embeddings.weight"][ids]
    x = x + w["embeddings.position_embeddings.weight"][: len(ids)] + w["embeddings.token_type_embeddings.weight"][0]
    x = _norm(x, w, "embeddings.LayerNorm")
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        seen = _dense(_attend(x, w, f"{name}.attention.self"), w, f"{name}.attention.output.dense")
        x = _norm(seen + x, w, f"{name}.attention.output.LayerNorm")
        wide = _dense(x, w, f"{name}.intermediate.dense")
        wide = 0.5 * wide * (1 + erf(wide / np.sqrt(2)))
        x = _norm(_dense(wide, w, f"{name}.output.dense") + x, w, f"{name}.output.LayerNorm")
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


def _dense(x: Array, w: dict[str, Array], name: str) -> Array:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def _norm(x: Array, w: dict[str, Array], name: str) -> Array:
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-12)
    return (x - x.mean(axis=-1, keepdims=True)) / spread * w[f"{name}.weight"] + w[f"{name}.bias"]


def _attend(x: Array, w: dict[str, Array], name: str) -> Array:
    q, k, v = (
        _dense(x, w, f"{name}.{part}").reshape(len(x), 12, 32).swapaxes(0, 1) for part in ("query", "key", "value")
    )
    shares = softmax(q @ k.swapaxes(1, 2) / np.sqrt(32), axis=-1)
    return (shares @ v).swapaxes(0, 1).reshape(len(x), 384)
