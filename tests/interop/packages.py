"""Node's packages for the suite: what package-lock.json pins, installed once a machine."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from filelock import FileLock
from tests.missing import give_up

SCRIPTS = Path(__file__).parent / "node"
PINS = ("package.json", "package-lock.json", ".npmrc")
OLDEST_NODE = 18  # express 5, under Bull Board, needs it
INSTALL_TIME = 300  # seconds


def installed() -> Path:
    """The folder whose node_modules hold Bull and Bull Board; skips, or fails where nothing may be skipped."""
    if (lack := lacking()) is not None:
        give_up(f"tests/interop needs Node {OLDEST_NODE} or newer with npm: {lack}")
    pins = b"".join((SCRIPTS / name).read_bytes() for name in PINS)
    folder = Path(os.environ["HOLDFAST_CACHE"]) / "interop" / hashlib.sha256(pins).hexdigest()[:16]
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):  # the workers of pytest-xdist begin at once
            if not folder.exists():
                _install(folder)
    return folder


def lacking() -> str | None:
    """What this machine lacks, in words; None when all is there."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"there is no {program} on PATH"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    major = int(version.removeprefix("v").split(".")[0])
    return None if major >= OLDEST_NODE else f"node is {version}"


def _install(folder: Path) -> None:
    # Made beside it and renamed, so that an install that was cut off is never taken for a whole one.
    place = folder.with_suffix(".part")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in PINS:
        shutil.copy(SCRIPTS / name, place)
    done = subprocess.run(["npm", "ci"], cwd=place, capture_output=True, text=True, timeout=INSTALL_TIME, check=False)
    if done.returncode != 0:
        give_up(f"npm ci could not install Bull: {done.stderr.strip()[-500:]}")
    place.rename(folder)
