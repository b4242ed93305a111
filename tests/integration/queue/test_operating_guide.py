"""docs/how-to/operating.md does what it says: its examples and its commands are run, its table is the product's."""

import ast
import asyncio
import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.queue import Job, NewJob, Queue
from holdfast.queue.client.findings import MEANING

GUIDE = (Path(__file__).parents[3] / "docs/how-to/operating.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]


@pytest.fixture
async def emails(redis_url: str, working: Any) -> Any:
    """A queue with a failed job `mail-1` and some of all other kinds."""

    async def broken(_job: Job) -> None:
        raise ValueError("no")

    async with Queue("emails", url=redis_url) as queue:
        await queue.add_many([NewJob("broken", job_id="mail-1"), NewJob("fine")])
        async with working({"broken": broken, "fine": lambda _job: None}, queue=queue), asyncio.timeout(20):
            while (counts := await queue.counts())["completed"] + counts["failed"] < 2:
                await asyncio.sleep(0.01)
        await queue.add_many([NewJob("fine"), NewJob("fine", delay=60)])
        yield queue


async def test_the_examples_run_from_top_to_bottom(
    emails: Queue, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL):
        code = compile(
            block.replace("redis://localhost:6379", redis_url), "operating.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )
        done = eval(code, names)  # noqa: S307 - our own documents
        if inspect.isawaitable(done):
            await done
    await names["queue"].close()

    assert capsys.readouterr().out.startswith("1\nmail-1 no\nFalse\n")
    assert (await emails.counts())["wait"] == 0


@pytest.mark.timeout(300)  # a dozen processes, one after the other
async def test_the_commands_run_in_their_order(emails: Queue, redis_url: str, tmp_path: Path) -> None:
    environment = {**os.environ, "REDIS_URL": redis_url, "HOLDFAST_HOME": str(tmp_path)}
    assert len(COMMANDS) > 12
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        assert program == "holdfast"

        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", program, *arguments], env=environment, capture_output=True, text=True
        )

        assert (done.returncode, done.stderr) == (0, ""), command


def test_each_kind_of_finding_is_explained() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)) >= set(MEANING)
