"""One thing that must hold, and whether it did."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must hold."""

    name: str
    held: bool
    figures: str
