"""The wheel, built and installed alone: is everything in it, and does it start without the rest?"""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "holdfast"

LOAD_EVERYTHING = """
from importlib.resources import files
import holdfast, holdfast.queue

scripts = sorted(each.name for each in files("holdfast.queue").joinpath("lua").iterdir() if each.name.endswith(".lua"))
assert all(files("holdfast.queue").joinpath("lua", name).read_text() for name in scripts)
print(holdfast.__version__, len(scripts))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def inside(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs' folder of a clean environment with nothing but the wheel and what its metadata asks for.

    What it asks for is copied from this environment, whose versions are pinned: no network is needed.
    """
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    place = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    for name in _base_dependencies(wheel):
        _copy_distribution(name, place)
    done = subprocess.run(
        [*_installer(python), "--no-deps", "--no-index", str(wheel)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "bin"


def _installer(python: Path) -> list[str]:
    probe = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False)
    if probe.returncode == 0:
        return [sys.executable, "-m", "pip", "--quiet", "--python", str(python), "install"]
    uv = shutil.which("uv")
    assert uv, "there is neither pip nor uv"
    return [uv, "pip", "install", "--quiet", "--python", str(python)]


def _base_dependencies(wheel: Path) -> set[str]:
    """By the wheel's own metadata: a dependency that it forgets to name will be missing."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        asked = Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist") or []
    found: set[str] = set()
    waiting = [Requirement(each) for each in asked]
    while waiting:
        wanted = waiting.pop()
        key = canonicalize_name(wanted.name)
        if key in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        found.add(key)
        waiting += [Requirement(each) for each in distribution(key).requires or ()]
    return found


def _copy_distribution(name: str, place: Path) -> None:
    installed = distribution(name)
    for file in installed.files or ():
        if ".." in file.parts or "__pycache__" in file.parts:
            continue
        target = place / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(installed.locate_file(file)), target)


def run_alone(program: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HOLDFAST", "COV"))}
    return subprocess.run(
        [program, *arguments], cwd=cwd, env=bare, capture_output=True, text=True, timeout=60, check=False
    )


def test_every_file_of_the_package_is_in_the_wheel(inside: set[str]) -> None:
    there = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    wanted = {path.relative_to(PACKAGE.parent).as_posix() for path in there}

    assert wanted - inside == set()
    assert {"holdfast/py.typed", "holdfast/demo/answers.csv", "holdfast/demo/NOTICE"} <= inside
    assert [name for name in inside if name.startswith("holdfast/queue/lua/") and name.endswith(".lua")] != []
    assert [name for name in inside if name.startswith("holdfast/store/migrations/")] != []


def test_nothing_else_is_in_the_wheel(inside: set[str]) -> None:
    foreign = [name for name in inside if not name.startswith(("holdfast/", "holdfast-"))]

    assert foreign == []
    assert [name for name in inside if "__pycache__" in name or name.endswith((".pyc", ".part"))] == []
    assert [name for name in inside if name.endswith("licenses/LICENSE")] != []


def test_the_wheel_alone_says_its_version(alone: Path, tmp_path: Path) -> None:
    done = run_alone(alone / "holdfast", "--version", cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "holdfast 0.1.0\n", "")


@pytest.mark.parametrize("arguments", [("demo",), ("generate", "answers.csv"), ("serve",)])
def test_the_wheel_alone_says_how_to_get_the_service(alone: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run_alone(alone / "holdfast", *arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert "holdfast[app]" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_the_wheel_alone_brings_the_queue_with_all_its_scripts(alone: Path, tmp_path: Path) -> None:
    done = run_alone(alone / "python", "-c", LOAD_EVERYTHING, cwd=tmp_path)

    assert done.stderr == ""
    assert done.stdout.split() == ["0.1.0", str(len(list((PACKAGE / "queue" / "lua").glob("*.lua"))))]
