"""docs/how-to/consuming.md does what it says: each example is run, each print prints its comment."""

import ast
import contextlib
import inspect
import io
import re
from pathlib import Path
from typing import Any

GUIDE = Path(__file__).parents[3] / "docs/how-to/consuming.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PRINTED = re.compile(r"^print\(.*\)  # (.+)$", re.MULTILINE)
FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


async def _run(code: str, names: dict[str, Any]) -> list[str]:
    """Run a block as a program's top level; returns the lines it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        done = eval(compile(code, str(GUIDE), "exec", FLAGS), names)  # noqa: S307 - our own document
        if inspect.isawaitable(done):
            await done
    return printed.getvalue().splitlines()


async def test_each_example_runs_and_prints_what_its_comments_say(redis_url: str) -> None:
    blocks = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "guide"}
    await _run(blocks[0].replace("redis://localhost:6379", redis_url), names)

    async with names["queue"]:
        printed = [await _run(block, names) for block in blocks[1:]]
        counts = await names["queue"].counts()

    assert len(blocks) == 9
    assert printed == [PRINTED.findall(block) for block in blocks[1:]]
    assert sum(map(len, printed)) == 6
    assert (counts["completed"], counts["failed"]) == (23, 1)
