"""Ctrl-C before the command has begun."""

import subprocess
import sys
from pathlib import Path

import pytest

# Ctrl-C comes as the module is about to be imported.
INTERRUPTED_AT = """
import os, signal, sys
sys.dont_write_bytecode = True
signal.signal(signal.SIGINT, signal.default_int_handler)

class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, CtrlC())
sys.argv = ["holdfast", "generate", "answers.csv", "--out", "table.csv"]
from holdfast.cli import main
main()
"""


@pytest.mark.parametrize("module", ["redis", "typer", "holdfast.cli.exits", "holdfast.service"])
def test_ctrl_c_while_the_command_is_loading_shows_nothing(module: str, tmp_path: Path) -> None:
    code = INTERRUPTED_AT.format(module=module)

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_the_package_loads_its_names_when_they_are_asked_for() -> None:
    code = "import sys, holdfast; print('redis' in sys.modules); holdfast.Queue; print('redis' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout.split(), done.stderr) == (["False", "True"], "")


def test_ctrl_c_after_the_command_has_ended_shows_nothing() -> None:
    code = (
        "import os, signal, time, holdfast.cli as cli\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever started the tests\n"
        "cli._leave_silently_when_interrupted()\n"
        "from holdfast.cli.running import run\n"
        "async def command(stop): return 0\n"
        "run(command); os.kill(os.getpid(), signal.SIGINT); time.sleep(60)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)

    assert (done.returncode, done.stderr) == (130, "")
