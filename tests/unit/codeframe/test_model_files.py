"""Only files with the right hash are kept from the hub."""

import hashlib
from pathlib import Path

import pytest

from holdfast.codeframe import model_files
from holdfast.errors import Unavailable


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A hub that serves these bytes; the hashes asked for are those of its first contents."""
    served = {"tokenizer.json": b"words", "model.safetensors": b"numbers"}

    def fetch(name: str, folder: Path) -> Path:
        path = folder / "unchecked" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(served[name])
        return path

    monkeypatch.setattr(model_files, "_fetch", fetch)
    monkeypatch.setattr(model_files, "PACKAGE", "no_such_package_of_models")
    monkeypatch.setattr(model_files, "TOKENIZER_SHA256", hashlib.sha256(b"words").hexdigest())
    monkeypatch.setattr(model_files, "WEIGHTS_SHA256", hashlib.sha256(b"numbers").hexdigest())
    return served


def test_the_hub_is_asked_only_when_online_use_was_asked_for(hub: dict[str, bytes], tmp_path: Path) -> None:
    assert model_files.find_model(models=None, cache=tmp_path) is None

    folder = model_files.find_model(models=None, cache=tmp_path, online=True)

    assert folder is not None
    assert (folder / "model.safetensors").read_bytes() == b"numbers"
    assert model_files.find_model(models=None, cache=tmp_path) == folder


def test_a_file_that_is_not_the_one_expected_is_not_kept(hub: dict[str, bytes], tmp_path: Path) -> None:
    hub["model.safetensors"] = b"other numbers"

    with pytest.raises(Unavailable, match="not the file expected"):
        model_files.find_model(models=None, cache=tmp_path, online=True)

    assert model_files.find_model(models=None, cache=tmp_path) is None


def test_a_folder_given_comes_first(hub: dict[str, bytes], tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    for name, content in hub.items():
        (given / name).write_bytes(content)

    assert model_files.find_model(models=given, cache=tmp_path, online=True) == given
