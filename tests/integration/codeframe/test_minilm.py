"""The sentence encoder built without torch is the real one, fast form included."""

import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from safetensors.numpy import load_file
from scipy.special import erf, softmax
from tokenizers import Tokenizer

from holdfast.codeframe import Embedder, FrameConfig, build_codeframe, model_files, open_embedder
from holdfast.codeframe.embedding import MiniLmEmbedder
from holdfast.codeframe.onnx_graph import sentence_encoder
from holdfast.codeframe.values import Vectors
from holdfast.errors import NotConfigured

Array = npt.NDArray[np.float64]

TEXTS = [
    "The staff were friendly and helpful.",
    "Waiting times are far too long, I waited three hours.",
    "Food",
    "The nurses explained everything, listened to my worries and made me feel at ease; the ward was a bit noisy.",
    "parking is expensive",
    "I could not find the entrance & nobody answered the phone!!",
]


@pytest.fixture(scope="module")
def fp32(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """The encoder before it was made small."""
    file = tmp_path_factory.mktemp("fp32") / "full.onnx"
    onnx.save(sentence_encoder(load_file(model_folder / "model.safetensors")), file)
    return MiniLmEmbedder(file, model_folder / "tokenizer.json")


def test_the_graph_is_a_valid_onnx_model(model_folder: Path) -> None:
    onnx.checker.check_model(sentence_encoder(load_file(model_folder / "model.safetensors")), full_check=True)


def test_the_graph_computes_what_the_numpy_reference_computes(fp32: Embedder, model_folder: Path) -> None:
    weights = load_file(model_folder / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(model_folder / "tokenizer.json"))
    tokenizer.no_padding()

    found = fp32.embed(TEXTS)

    for text, vector in zip(TEXTS, found, strict=True):
        assert vector @ forward(weights, tokenizer.encode(text).ids) > 0.9999


def test_known_likeness_holds(fp32: Embedder) -> None:
    queue, wait, cake = fp32.embed(["I waited two hours", "The waiting time was too long", "The cake was delicious"])

    assert queue @ wait > 0.45
    assert queue @ wait > queue @ cake + 0.2


def test_the_int8_form_stays_near_the_full_one(fp32: Embedder, minilm: Embedder) -> None:
    near = (fp32.embed(TEXTS * 5) * minilm.embed(TEXTS * 5)).sum(axis=1)

    assert near.mean() > 0.98
    assert near.min() > 0.95
    assert minilm.name == "minilm-int8"


def test_the_order_of_the_texts_does_not_matter(minilm: Embedder) -> None:
    texts = [f"{text} {n}" for n in range(20) for text in TEXTS]

    forwards, backwards = minilm.embed(texts), minilm.embed(texts[::-1])[::-1]

    assert np.array_equal(forwards, backwards)


def test_long_and_odd_answers_get_unit_vectors_and_progress_is_told(minilm: Embedder) -> None:
    told: list[tuple[int, int]] = []
    texts = ["word " * 10_000, "", "\x00", "👍", "x" * 50_000, "好" * 3000, "fine"]

    vectors = minilm.embed(texts, progress=lambda done, total: told.append((done, total)))

    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)
    assert told[-1] == (len(texts), len(texts))
    assert told == sorted(told)


def test_batches_are_small_enough_to_stay_in_the_cache_and_an_interrupted_embed_begins_no_further_ones(
    model_folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minilm = MiniLmEmbedder(model_files.encoder_file(model_folder, cache), model_folder / "tokenizer.json", threads=1)
    ran: list[list[list[int]]] = []
    run, interrupted = minilm._run, threading.Event()

    def watched(batch: list[list[int]]) -> Vectors:
        ran.append(batch)
        assert len(ran) == 1 or interrupted.wait(60)
        return run(batch)

    def interrupt(done: int, total: int) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    monkeypatch.setattr(minilm, "_run", watched)
    texts = [f"{text} {n}" for n in range(60) for text in TEXTS]
    with pytest.raises(KeyboardInterrupt):
        minilm.embed(texts, progress=interrupt)
    n_interrupted = len(ran)
    minilm.embed(texts)

    whole = ran[n_interrupted:]
    assert sum(map(len, whole)) == len(texts)
    assert all(len(batch) <= 32 and len(batch) * max(map(len, batch)) <= 512 for batch in whole)
    assert n_interrupted < len(whole)


def test_a_long_answer_is_the_mean_of_its_windows(minilm: Embedder) -> None:
    start, end = "The nurses were kind to me. " * 60, "Parking costs far too much here. " * 60

    both, first, second = minilm.embed([start + end, start, end])

    assert both @ first > 0.6
    assert both @ second > 0.6


def test_two_at_once_convert_the_model_once(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    convert = model_files._convert
    monkeypatch.setattr(
        model_files, "_convert", lambda weights, target: (made.append(target), convert(weights, target))
    )
    threads = [threading.Thread(target=model_files.encoder_file, args=(model_folder, tmp_path)) for _ in range(2)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1
    onnxruntime.InferenceSession(str(made[0]), providers=["CPUExecutionProvider"])
    assert [path.suffix for path in tmp_path.iterdir() if path.suffix != ".lock"] == [".onnx"]


def test_other_weights_under_the_same_name_are_refused(model_folder: Path, tmp_path: Path) -> None:
    fake = tmp_path / "models"
    fake.mkdir()
    (fake / "model.safetensors").write_bytes(b"not the weights")
    (fake / "tokenizer.json").write_bytes((model_folder / "tokenizer.json").read_bytes())

    with pytest.raises(NotConfigured, match="SHA-256"):
        open_embedder("minilm", models=fake, cache=tmp_path / "cache")


def test_without_a_model_auto_counts_words_and_minilm_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "PACKAGE", "no_such_package_of_models")

    assert open_embedder("auto", cache=tmp_path).name == "lsa"
    with pytest.raises(NotConfigured, match=r"models\.lock"):
        open_embedder("minilm", cache=tmp_path)


def test_a_small_survey_gets_readable_codes(minilm: Embedder) -> None:
    kind = [
        f"{who} {verb} {how}" for who in ("The staff", "All the nurses") for verb in ("were", "are") for how in _KIND
    ]
    slow = [f"{what} {how}" for what in ("The waiting time was", "The wait for my appointment was") for how in _SLOW]
    texts = kind + slow

    frame = build_codeframe(texts, FrameConfig(n_clusters=2, hierarchy="flat"), minilm)

    names = [node.name.lower() for node in frame.nodes if node.kind == "content"]
    assert "staff" in names[0] or "nurses" in names[0]
    assert "wait" in names[1]
    assert all(2 <= len(name.split()) <= 5 for name in names)
    assert len(set(frame.assignments.best[: len(kind)].tolist()) - {995}) == 1


_KIND = ("very friendly", "friendly", "so kind", "really helpful", "lovely", "polite and caring")
_SLOW = ("too long", "very long", "far too long", "endless", "longer than two hours", "much too long")


def forward(weights: dict[str, npt.NDArray[np.float32]], ids: list[int]) -> Array:
    """The unit vector of one text's token ids, by the encoder once more in plain numpy."""
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
