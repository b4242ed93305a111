"""The command with a data folder of its own, for the demo and the drill."""

from pathlib import Path

import pytest
from tests.integration.cli.command import Holdfast


@pytest.fixture
def home(own_folder: Path) -> Path:
    """Not below pytest's tmp_path: each new session locks /tmp/pytest-of-root again, and PostgreSQL runs as nobody."""
    return own_folder / "home"


@pytest.fixture
def holdfast(home: Path) -> Holdfast:
    return Holdfast(HOLDFAST_HOME=str(home))
