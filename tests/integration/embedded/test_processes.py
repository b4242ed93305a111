"""Server processes are ended in bounded time, and only those that are ours."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.embedded.processes import LOG_LIMIT, Process, log_size, processes_naming, spawn, wait_until
from holdfast.errors import EmbeddedError

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


def test_a_server_that_does_not_hear_sigterm_is_killed_after_the_limit(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = spawn([sys.executable, "-c", DEAF], cwd=tmp_path, log=log)
    assert wait_until(lambda: "deaf" in log.read_text(), limit=60)

    process.end(signal.SIGTERM, limit=0.2)

    assert not process.alive


def test_a_server_outlives_the_terminal_s_interrupt(tmp_path: Path) -> None:
    process = spawn([sys.executable, "-c", DEAF], cwd=tmp_path, log=tmp_path / "log")
    own_group = subprocess.run(["ps", "-o", "sid=", "-p", str(process.pid)], capture_output=True, text=True, check=True)

    assert int(own_group.stdout) == process.pid

    process.end(signal.SIGKILL)


def test_only_processes_whose_command_names_the_folder_are_found(tmp_path: Path) -> None:
    ours = spawn([sys.executable, "-c", DEAF, tmp_path / "a"], cwd=tmp_path, log=tmp_path / "log")
    other = spawn([sys.executable, "-c", DEAF, tmp_path / "ab"], cwd=tmp_path, log=tmp_path / "log")
    assert wait_until(lambda: (tmp_path / "log").read_text().count("deaf") == 2, limit=60)

    found = [process.pid for process in processes_naming(lambda command: str(tmp_path / "a") in command)]

    assert found == [ours.pid]
    for process in (ours, other):
        process.end(signal.SIGKILL)


def test_a_pid_that_nobody_has_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()

    process = Process(child.pid)

    assert not process.alive
    process.end(signal.SIGKILL)


def test_a_long_log_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * (LOG_LIMIT + 1))

    assert log_size(log) == 0

    assert not log.exists()
    assert (tmp_path / "log.1").stat().st_size == LOG_LIMIT + 1


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="no-such-server"):
        spawn([tmp_path / "no-such-server"], cwd=tmp_path, log=tmp_path / "log")


def test_a_half_started_server_is_killed_when_its_starter_is_interrupted(tmp_path: Path) -> None:
    process = spawn([sys.executable, "-c", DEAF], cwd=tmp_path, log=tmp_path / "log")

    with pytest.raises(KeyboardInterrupt), process.killed_on_error():
        raise KeyboardInterrupt

    assert not process.alive
