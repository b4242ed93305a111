"""The examples of the how-to documents run, from top to bottom, on a real Redis."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

DOCUMENTS = Path(__file__).resolve().parents[3] / "docs/how-to"
LOCAL = "redis://localhost:6379"


def code_of(name: str, url: str) -> Iterator[str]:
    text = (DOCUMENTS / name).read_text(encoding="utf-8")
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield block.replace(LOCAL, url)


async def run(name: str, url: str) -> dict[str, Any]:
    """Run the blocks of a document one after the other; they share their names."""
    names: dict[str, Any] = {}
    for block in code_of(name, url):
        code = compile(block, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        done = eval(code, names)  # noqa: S307 - our own documents
        if inspect.isawaitable(done):
            await done
    return names


async def test_the_examples_of_events_run(redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = await run("events.md", redis_url)
    await names["queue"].close()

    told = capsys.readouterr().out
    assert "added" in told
    assert "one more: 2" in told
    assert "sent to alan@example.org" in told


async def test_the_examples_of_testing_run(redis_url: str) -> None:
    names = await run("testing.md", redis_url)

    assert names["pytest_plugins"] == ["holdfast.queue.pytest_plugin"]
    async with names["Queue"]("shown", url=redis_url) as queue:
        await names["test_an_image_is_resized"](queue)


async def test_the_examples_of_observing_run(redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    await run("observing.md", redis_url)

    assert capsys.readouterr().out == "to ada@example.org\nto grace@example.org\n"


FIXTURE_TESTS = """
import redis


async def test_it_is_empty(holdfast_queue):
    assert sum((await holdfast_queue.counts()).values()) == 0
    await holdfast_queue.add("x")


def test_it_is_cleared(holdfast_redis):
    assert redis.Redis.from_url(holdfast_redis).dbsize() == 0
"""


def test_the_fixtures_give_an_empty_queue_and_clear_it(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["holdfast.queue.pytest_plugin"]')
    (tmp_path / "test_it.py").write_text(FIXTURE_TESTS)
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--asyncio-mode=auto", "-q", "test_it.py")

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert "2 passed" in done.stdout, done.stdout + done.stderr


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    yield
    structlog.reset_defaults()
