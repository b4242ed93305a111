"""Who may import whom, and what the queue and the durable steps alone must not need."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Refuses, as if it were not installed, every package that `pip install holdfast` alone would not bring.
HOOK = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


def base_distributions() -> set[str]:
    """What the queue alone depends on, and what that depends on."""
    found: set[str] = set()
    waiting = [Requirement(each) for each in PROJECT["dependencies"]]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += [Requirement(each) for each in requires(name) or ()]
    return found


def absent_modules() -> set[str]:
    kept = base_distributions() | {"holdfast"}
    owners = packages_distributions()
    return {module for module, names in owners.items() if not kept & {canonicalize_name(name) for name in names}}


def run_with_base_dependencies_only(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", HOOK.format(absent=absent_modules()) + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_layers_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", done.stdout)


def test_the_queue_needs_nothing_of_the_service_s() -> None:
    assert {"pydantic", "sqlalchemy", "numpy", "typer", "psutil"} <= absent_modules()

    done = run_with_base_dependencies_only("import holdfast, holdfast.queue; print(holdfast.Queue.__name__)")

    assert (done.stdout, done.stderr) == ("Queue\n", "")


def test_durable_steps_need_nothing_but_themselves() -> None:
    steps = """
import asyncio, sys
from holdfast.durable import FileJournal, Reply, Steps

async def call():
    return Reply(value="said")

async def main():
    with FileJournal(sys.argv[1]) as journal:
        print(await Steps(journal).run("step", call, inputs=[]))

asyncio.run(main())
print({"redis", "hiredis", "orjson", "holdfast.queue", "holdfast.store"} & set(sys.modules))
"""
    with TemporaryDirectory() as folder:
        done = run_with_base_dependencies_only(steps, f"{folder}/journal")

    assert (done.stdout, done.stderr) == ("said\nset()\n", "")


def test_a_command_starts_without_the_libraries_that_take_a_second() -> None:
    looked = """
import sys
import holdfast.cli.generation_commands, holdfast.service
print({"scipy", "sklearn", "onnx", "onnxruntime", "anthropic", "openai", "openpyxl", "pyreadstat"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", looked], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_what_the_hook_refuses_is_really_refused() -> None:
    done = run_with_base_dependencies_only("import numpy")

    assert "ModuleNotFoundError: No module named 'numpy'" in done.stderr


def test_the_package_offers_few_names() -> None:
    done = run_with_base_dependencies_only("import holdfast; print(*holdfast.__all__)")

    names = done.stdout.split()

    assert {"Queue", "Worker", "Job", "NewJob", "JobOptions", "Backoff", "Retention", "Unrecoverable"} <= set(names)
    assert len(names) <= 15


def test_every_name_the_package_offers_can_be_had_and_is_listed_by_dir() -> None:
    done = run_with_base_dependencies_only(
        "import holdfast; print({name for name in holdfast.__all__ if getattr(holdfast, name) is None},"
        " set(holdfast.__all__) - set(dir(holdfast)), hasattr(holdfast, 'nothing'))"
    )

    assert (done.stdout, done.stderr) == ("set() set() False\n", "")
