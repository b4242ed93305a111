"""What the figures were taken on."""

import datetime
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from queue_driver.catalogue import PEERS
from queue_driver.environments import ROOT


def describe(redis_version: str, versions: dict[str, dict[str, str]]) -> dict[str, Any]:
    """The machine line of a result file."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "redis": redis_version,
        "python": platform.python_version(),
        "commit": _commit(),
        "load_before": round(os.getloadavg()[0], 2),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "packages": versions,
    }


def line(machine: dict[str, Any]) -> str:
    """The same in words."""
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}; Redis {machine['redis']}, "
        f"Python {machine['python']}, Node {_node(machine)}; commit {machine['commit']}; {machine['date']}"
    )


def versions(machine: dict[str, Any]) -> str:
    """The version of each peer's first package."""
    found = []
    for peer in PEERS:
        name = re.split(r"[=@\[]", peer.packages[0])[0]
        installed = machine["packages"].get(peer.name, {})
        if name in installed:
            found.append(f"{name if peer.name == 'holdfast' else peer.title} {installed[name]}")
    return ", ".join(found)


def _node(machine: dict[str, Any]) -> str:
    return next((each["node"] for each in machine["packages"].values() if "node" in each), "none").removeprefix("v")


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    names = [text.split(":", 1)[1].strip() for text in info.read_text().splitlines() if text.startswith("model name")]
    return names[0] if names else platform.processor()


def _commit() -> str:
    asked = ["git", "rev-parse", "--short", "HEAD"]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"
