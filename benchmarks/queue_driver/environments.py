"""Each peer's own environment: a venv or a node_modules in a cache folder, made once, never in the project."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from queue_driver.catalogue import Peer

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "benchmarks" / "queue_peers"
INSTALL_LIMIT = 600  # seconds


class NotInstalled(Exception):
    """The environment of a peer could not be made."""


@dataclass(frozen=True, slots=True)
class Environment:
    """How to start a peer's program."""

    command: tuple[str, ...]
    variables: dict[str, str]
    versions: dict[str, str]


def default_cache() -> Path:
    """$XDG_CACHE_HOME/holdfast/benchmarks."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdfast" / "benchmarks"


def prepare(peer: Peer, cache: Path) -> Environment:
    """The peer's environment, made now if it is not there as wanted. NotInstalled when that fails."""
    folder, packages = cache / peer.name, _packages(peer)
    if peer.is_node:
        _make(folder, [packages], _install_node)
        command = (shutil.which("node") or "node", str(PROGRAMS / peer.program))
        return Environment(command, {"NODE_PATH": str(folder / "node_modules")}, _node_versions(folder, peer))
    place = {"PYTHONPATH": str(ROOT / "src")} if peer.name == "holdfast" else {}
    return prepare_python(folder, PROGRAMS / peer.program, packages, variables=place)


def prepare_python(
    folder: Path, program: Path, *installs: Sequence[str], variables: Mapping[str, str] | None = None
) -> Environment:
    """A venv in the folder for a Python program; one call of pip for each of `installs`, in their order."""
    _make(folder, installs, _install_python)
    command = (str(folder / "bin" / "python"), str(program))
    return Environment(command, {"PYTHONDONTWRITEBYTECODE": "1", **(variables or {})}, _python_versions(folder))


def _make(folder: Path, installs: Sequence[Sequence[str]], install: Callable[[Path, list[str]], None]) -> None:
    """Install into a new folder, unless it holds the same already."""
    wanted = "\n".join([sys.version, *(" ".join(packages) for packages in installs)])
    stamp = folder / "wanted.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for packages in installs:
        install(folder, list(packages))
    stamp.write_text(wanted)


def _packages(peer: Peer) -> list[str]:
    """What to install; of ours, what pyproject.toml asks for, since the code itself is the checkout's."""
    if peer.name != "holdfast":
        return list(peer.packages)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *peer.packages]


def _install_python(folder: Path, packages: list[str]) -> None:
    if not (folder / "bin").exists():
        _run([sys.executable, "-m", "venv", str(folder)], folder)
    _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages], folder)


def _install_node(folder: Path, packages: list[str]) -> None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NotInstalled("node and npm are not on PATH")
    (folder / "package.json").write_text('{"private": true}\n')
    _run([npm, "install", "--no-audit", "--no-fund", "--loglevel=error", *packages], folder)


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"{Path(command[0]).name}: {error}") from None
    if done.returncode:
        raise NotInstalled(f"{' '.join(command[1:5])} …: {done.stderr.strip()[-300:]}")


def _python_versions(folder: Path) -> dict[str, str]:
    asked = [str(folder / "bin" / "python"), "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout
    return {one["name"]: one["version"] for one in json.loads(told) if one["name"] not in {"pip", "setuptools"}}


def _node_versions(folder: Path, peer: Peer) -> dict[str, str]:
    names = [package.rsplit("@", 1)[0] for package in peer.packages]
    files = {name: folder / "node_modules" / name / "package.json" for name in names}
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    return {name: json.loads(file.read_text())["version"] for name, file in files.items()} | {"node": node}
