"""What a test does when the machine lacks a program that no wheel brings."""

import os
from typing import NoReturn

import pytest


def give_up(reason: str) -> NoReturn:
    """Skip the test; fail it in CI, and wherever HOLDFAST_NOTHING_SKIPPED is set."""
    if os.environ.get("CI") or os.environ.get("HOLDFAST_NOTHING_SKIPPED"):
        pytest.fail(
            f"{reason} (and CI or HOLDFAST_NOTHING_SKIPPED is set, so this is no reason to skip)", pytrace=False
        )
    pytest.skip(reason)
