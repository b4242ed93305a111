"""Runs a script and kills it at its first line, runs it again, kills the next at its second line, and so on.

python killed_at_lines.py SCRIPT FOLDER EVERY FIRST [--and-below] [ARGUMENT …]: FOLDER gets a folder for each line that
was killed at, with what the script left there; EVERY and FIRST choose some of the lines. With --and-below the lines
of holdfast.durable count too. Each run is a process of its own, forked from this one, which has imported everything
but run nothing: so thousands of kills take a minute.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import holdfast.durable

BELOW = str(Path(holdfast.durable.__file__).parent)


class Killer:
    """Kills this process at the n-th line it comes to in files that `is_ours` says."""

    def __init__(self, n: int, is_ours: Callable[[str], bool]) -> None:
        self._left = n
        self._is_ours = is_ours

    def watch(self) -> None:
        threading.settrace(self._frame)
        sys.settrace(self._frame)

    def _frame(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if self._is_ours(frame.f_code.co_filename) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return self._line


def run(code: CodeType, folder: Path, arguments: list[str], killer: Killer | None) -> int:
    """Run the script in the folder, in a process of its own; returns as subprocess' returncode does."""
    pid = os.fork()
    if pid == 0:
        _be_the_script(code, folder, arguments, killer)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _be_the_script(code: CodeType, folder: Path, arguments: list[str], killer: Killer | None) -> None:
    status = 1
    try:
        os.chdir(folder)
        with Path("out.txt").open("a", buffering=1) as out:
            sys.stdout = sys.stderr = out
            sys.argv = [code.co_filename, *arguments]
            if killer is not None:
                killer.watch()
            exec(code, {"__name__": "__main__"})  # noqa: S102 - our own document
            status = 0
    except BaseException:  # noqa: BLE001 - as Python ends a script
        Path("error.txt").write_text(traceback.format_exc())
    finally:
        sys.settrace(None)
        os._exit(status)


def main() -> None:
    script, folder, every, n = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    below, arguments = "--and-below" in sys.argv, [word for word in sys.argv[5:] if word != "--and-below"]
    code = compile(script.read_text(), str(script), "exec")

    def is_ours(file: str) -> bool:
        return file == str(script) or (below and file.startswith(BELOW))

    while True:
        here = folder / f"{n:05}"
        here.mkdir()
        if run(code, here, arguments, Killer(n, is_ours)) != -signal.SIGKILL:
            return
        (here / "killed").touch()
        run(code, here, arguments, None)
        n += every


if __name__ == "__main__":
    main()
