"""The guards of the root conftest.py catch what they are for."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = Path(__file__).parents[2] / "conftest.py"


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makeconftest(CONFTEST.read_text())
    return pytester


def run(suite: pytest.Pytester, place: str, source: str) -> dict[str, int]:
    file = suite.path / place / "test_it.py"
    file.parent.mkdir()
    file.write_text(source)
    return suite.runpytest("-p", "no:cacheprovider", str(file)).parseoutcomes()


SWALLOWED = """
import contextlib, socket
def test_it():
    with contextlib.suppress(OSError), socket.socket() as one:
        one.connect(("127.0.0.1", 9))
"""


def test_a_unit_test_that_connects_fails_although_it_swallows_the_error(suite: pytest.Pytester) -> None:
    assert run(suite, "unit", SWALLOWED) == {"passed": 1, "errors": 1}


def test_an_integration_test_may_connect(suite: pytest.Pytester) -> None:
    assert run(suite, "integration", SWALLOWED) == {"passed": 1}


def test_an_asyncio_task_left_running_fails_the_test(suite: pytest.Pytester) -> None:
    source = """
import asyncio
left = []
async def test_it():
    left.append(asyncio.create_task(asyncio.sleep(60)))
"""
    assert run(suite, "unit", source) == {"passed": 1, "errors": 1}


def test_a_task_that_was_cancelled_is_not_left_running(suite: pytest.Pytester) -> None:
    source = """
import asyncio
async def test_it():
    asyncio.create_task(asyncio.sleep(60)).cancel()
"""
    assert run(suite, "unit", source) == {"passed": 1}


def test_a_server_left_running_fails_the_session(suite: pytest.Pytester) -> None:
    source = """
import sys
from holdfast.embedded.processes import spawn
def test_it(servers_folder):
    spawn([sys.executable, "-c", "import time; time.sleep(60)", servers_folder / "x"],
          cwd=servers_folder, log=servers_folder / "log")
"""
    assert run(suite, "integration", source) == {"passed": 1, "errors": 1}
