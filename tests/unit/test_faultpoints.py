"""Fault points kill the process, at the right time, and only if armed."""

import signal
import subprocess
import sys

import pytest

from holdfast import faultpoints


def _run(spec: str, times: int) -> subprocess.CompletedProcess[str]:
    code = (
        "from holdfast import faultpoints\n"
        f"faultpoints.arm({spec!r})\n"
        f"for n in range({times}):\n"
        "    faultpoints.reach('unit done'); print(n, flush=True)\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


def test_an_armed_point_kills_at_its_count() -> None:
    done = _run("unit done:3", times=5)

    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == ["0", "1"]


def test_a_point_that_is_not_armed_does_nothing() -> None:
    done = _run("job taken", times=2)

    assert done.returncode == 0
    assert done.stdout.split() == ["0", "1"]


def test_an_unknown_point_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match="reply stored"):
        faultpoints.arm("no such point")


def test_an_unknown_end_is_refused() -> None:
    with pytest.raises(ValueError, match="say freeze"):
        faultpoints.arm("reply stored:1:melt")
