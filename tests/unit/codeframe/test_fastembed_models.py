"""fastembed's models: how they are opened, and what is said when they cannot be."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from holdfast.codeframe import open_embedder
from holdfast.errors import BadInput, NotConfigured
from holdfast.service.embedders import Embedders

MODEL = "some-org/multi-lingual-v2"


class Package:
    """Stands in for the package: its list of models, and vectors whose length is not 1."""

    offline = False
    opened = 0

    def __init__(self, *, model_name: str, cache_dir: str, threads: int) -> None:
        if self.offline:
            raise ValueError(f"Could not load model {model_name} from any source.")
        type(self).opened += 1
        assert threads > 0

    @staticmethod
    def list_supported_models() -> list[dict[str, Any]]:
        return [{"model": MODEL, "dim": 3}]

    def embed(self, documents: list[str], *, batch_size: int) -> Iterator[np.ndarray]:
        return (np.array([len(text), 2.0, 0.0]) for text in documents)


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> type[Package]:
    own = type("Own", (Package,), {})
    monkeypatch.setitem(sys.modules, "fastembed", SimpleNamespace(TextEmbedding=own))
    return own


@pytest.mark.usefixtures("package")
def test_its_vectors_are_unit_rows_in_the_order_of_the_texts(tmp_path: Path) -> None:
    embedder = open_embedder(f"fastembed:{MODEL}", cache=tmp_path)

    found = embedder.embed(["a", "bbbb", ""])

    assert (embedder.name, embedder.dim, embedder.whole_corpus) == (f"fastembed:{MODEL}", 3, False)
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([[1, 2, 0], [4, 2, 0], [0, 2, 0]]) / np.sqrt([[5], [20], [4]]))
    assert embedder.embed([]).shape == (0, 3)


async def test_a_model_with_dashes_in_its_name_is_opened_once_by_that_name(
    package: type[Package], tmp_path: Path
) -> None:
    embedders = Embedders(models=None, cache=tmp_path, first=f"fastembed:{MODEL}")

    first, again = [await embedders.open(name) for name in (embedders.first, f"fastembed:{MODEL}")]

    assert first is again
    assert package.opened == 1


@pytest.mark.usefixtures("package")
def test_a_model_that_it_has_not_is_refused_with_one_that_it_has(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no model 'nobody/none'; one for many languages is sentence-transformers/"):
        open_embedder("fastembed:nobody/none", cache=tmp_path)


def test_a_model_that_cannot_be_downloaded_says_what_to_do(package: type[Package], tmp_path: Path) -> None:
    package.offline = True

    with pytest.raises(NotConfigured, match="online once, or have the model's files in"):
        open_embedder(f"fastembed:{MODEL}", cache=tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("fastembed") is not None, reason="the package is there")
def test_without_the_package_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="pip install fastembed"):
        open_embedder(f"fastembed:{MODEL}", cache=tmp_path)


def test_an_embedder_that_costs_is_refused_where_nothing_is_on_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="paid for by generations alone"):
        open_embedder("openai:text-embedding-3-small", cache=tmp_path)
