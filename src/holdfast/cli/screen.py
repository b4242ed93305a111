"""The terminal, or the file that stands for it."""

import sys

from rich.console import Console

PIPED_WIDTH = 100


def screen() -> Console:
    """stdout as rich sees it: plain and 100 columns wide when it is no terminal."""
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    return Console(width=width, highlight=False, markup=False, soft_wrap=False, emoji=False)
