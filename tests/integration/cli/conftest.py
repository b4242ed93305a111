"""The command on the session's servers, and files of real answers."""

import csv
from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from pathlib import Path

import pytest
from tests.integration.cli.command import Holdfast

from holdfast.service import Service, open_service
from holdfast.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def holdfast(home: Path, redis_url: str, database_url: str) -> Holdfast:
    """The command with the session's Redis and a database of its own."""
    return Holdfast(
        REDIS_URL=redis_url, DATABASE_URL=database_url, HOLDFAST_HOME=str(home), HOLDFAST_RECONCILE_SECONDS="0.5"
    )


@pytest.fixture
async def service(home: Path, redis_url: str, database_url: str) -> AsyncIterator[Service]:
    """The same deployment, seen from this process."""
    settings = Settings(redis_url_given=redis_url, database_url=database_url, home=home)
    async with open_service(settings) as opened:
        yield opened


@pytest.fixture
def real_answers(tmp_path: Path) -> Callable[[int], Path]:
    """A csv file with the first so many of the shipped answers."""

    def write(number: int) -> Path:
        rows = files("holdfast.demo").joinpath("answers.csv").read_text("utf-8").splitlines(keepends=True)
        read = list(csv.reader(rows))[: number + 1]
        path = tmp_path / "answers.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(read)
        return path

    return write
