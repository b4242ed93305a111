"""The queue alone knows its version, and says what the rest needs."""

import subprocess
import sys

import holdfast

# What an install without the app extra looks like: these cannot be imported.
WITHOUT_THE_APP = """
import sys
for name in "typer pydantic pydantic_settings platformdirs rich sqlalchemy fastapi uvicorn numpy".split():
    sys.modules[name] = None
sys.argv = ["holdfast", *{arguments}]
from holdfast.cli import main
main()
"""


def run_without_the_app(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = WITHOUT_THE_APP.format(arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_the_version_needs_the_queues_libraries_only() -> None:
    done = run_without_the_app("--version")

    assert (done.stdout, done.stderr, done.returncode) == (f"holdfast {holdfast.__version__}\n", "", 0)


def test_any_other_command_says_what_to_install() -> None:
    done = run_without_the_app("generate", "answers.csv")

    assert done.returncode == 2
    assert 'pip install "holdfast[app]"' in done.stderr
    assert len(done.stderr.splitlines()) == 1
