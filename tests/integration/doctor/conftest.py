"""Examinations of real servers, and the lines they give."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from holdfast.doctor import Line, Report, examined
from holdfast.embedded.processes import processes_naming
from holdfast.settings import Settings

Examine: TypeAlias = Callable[..., Awaitable[dict[str, Line]]]


@pytest.fixture
def settings(redis_url: str, database_url: str, tmp_path: Path) -> Callable[..., Settings]:
    """Settings of the session's servers, with changes."""

    def make(**changes: Any) -> Settings:
        given = {"redis_url_given": redis_url, "database_url": database_url, "home": tmp_path / "no home"}
        return Settings(**(given | changes))

    return make


@pytest.fixture
def examine(settings: Callable[..., Settings]) -> Examine:
    """The lines by name; what is not ok has a fix, and no line shows a password."""

    async def run(**changes: Any) -> dict[str, Line]:
        report = await examined(settings(**changes))
        _check(report)
        return {line.name: line for line in report.lines}

    return run


@pytest.fixture
def left_running() -> Callable[[Path], list[int]]:
    """The processes that name a folder in their command."""

    def find(folder: Path) -> list[int]:
        named = processes_naming(lambda command: any(word.startswith(f"{folder}/") for word in command))
        return [process.pid for process in named]

    return find


def _check(report: Report) -> None:
    assert [line for line in report.lines if bool(line.fix) == (line.level == "ok")] == []
    assert len({line.name for line in report.lines}) == len(report.lines)
