"""A stub provider for the tests that call models."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.stub import StubProvider


@pytest.fixture
def provider(own_folder: Path) -> Iterator[StubProvider]:
    """A stub provider of the test's own, running, with its bill empty."""
    stub = StubProvider(own_folder / "stub provider")
    stub.start()
    yield stub
    stub.stop()
