"""Named points at which a drill or a test may kill this process, as a power cut would.

Nothing happens unless a point was armed; arming is for the process that is to die (`holdfast worker` and `holdfast
serve` arm what HOLDFAST_FAULT names). The names in use are listed in `POINTS`.
"""

import os
import signal

POINTS = frozenset(
    {
        "generation committed",  # the generation and its first units are in the database, no job is in Redis
        "job taken",  # a worker holds the job's lock and has done nothing yet
        "intent stored",  # the call's intent is in the journal, the call was not made
        "call returned",  # the call was made (and billed), its reply is not in the journal
        "reply stored",  # the reply is in the journal, nothing has used it
        "batch committed",  # a batch and its calls' intents are in the database, the provider has heard nothing
        "batch submitted",  # the provider has the batch, its name for it is not in the database
        "unit computed",  # the unit's result is in memory, the unit is still pending
        "unit done",  # the unit is done in the database, its job is still active in Redis
    }
)

_armed: dict[str, int] = {}
_ends: dict[str, signal.Signals] = {}


def arm(spec: str) -> None:
    """Arm points from `name[:n[:freeze]][,…]`: the process dies the n-th time (default 1) it reaches the point.

    With `freeze` it stops there (SIGSTOP) and goes on at a SIGCONT. Raises ValueError for a name not in `POINTS`.
    """
    for part in filter(None, (piece.strip() for piece in spec.split(","))):
        name, _, rest = part.partition(":")
        count, _, how = rest.partition(":")
        if name not in POINTS:
            raise ValueError(f"unknown fault point {name!r}; the names are: {', '.join(sorted(POINTS))}")
        if how not in {"", "freeze"}:
            raise ValueError(f"unknown end {how!r} of fault point {name!r}; leave it out, or say freeze")
        _armed[name], _ends[name] = int(count or 1), signal.SIGSTOP if how else signal.SIGKILL


def reach(name: str) -> None:
    """Say that the point was reached: ends (or freezes) this process if it is armed and its count is used up."""
    left = _armed.get(name)
    if left is None:
        return
    if left <= 1:
        del _armed[name]
        os.kill(os.getpid(), _ends[name])
    else:
        _armed[name] = left - 1
