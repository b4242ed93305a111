"""The terminal, or the file that stands for it."""

import sys

from rich.console import Console

PIPED_WIDTH = 100


def screen(*, to_stderr: bool = False) -> Console:
    """stdout as rich sees it, or stderr: plain and 100 columns wide when it is no terminal."""
    width = None if (sys.stderr if to_stderr else sys.stdout).isatty() else PIPED_WIDTH
    return Console(stderr=to_stderr, width=width, highlight=False, markup=False, soft_wrap=False, emoji=False)
