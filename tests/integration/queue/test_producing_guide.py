"""docs/how-to/producing.md does what it says: each example is run, each print prints its comment."""

import ast
import contextlib
import inspect
import io
import re
from pathlib import Path
from typing import Any

GUIDE = Path(__file__).parents[3] / "docs/how-to/producing.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PRINTED = re.compile(r"^print\(.*\)  # (.+)$", re.MULTILINE)


async def _run(code: str, names: dict[str, Any]) -> str:
    """Run a block as a program's top level; returns what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        done = eval(compile(code, str(GUIDE), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)  # noqa: S307
        if inspect.isawaitable(done):
            await done
    return printed.getvalue()


async def test_each_example_runs_and_prints_what_its_comments_say(redis_url: str) -> None:
    blocks = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    assert len(blocks) >= 8
    assert sum(len(PRINTED.findall(block)) for block in blocks) >= 7
    names: dict[str, Any] = {"__name__": "guide"}
    await _run(blocks[0].replace("redis://localhost:6379", redis_url), names)

    async with names["queue"]:
        for block in blocks[1:]:
            printed = (await _run(block, names)).splitlines()
            expected = PRINTED.findall(block)
            assert [line for line in printed if line in expected] == expected, block
