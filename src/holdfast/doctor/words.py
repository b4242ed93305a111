"""How figures are said."""

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address

_STEPS = ((86_400, "days"), (3_600, "h"), (60, "min"))
_SIZES = ((1024**4, "TB"), (1024**3, "GB"), (1024**2, "MB"), (1024, "kB"))


def span(length: timedelta) -> str:
    """A length of time, short."""
    seconds = length.total_seconds()
    for size, unit in _STEPS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def size(n_bytes: float) -> str:
    """A number of bytes."""
    for step, unit in _SIZES:
        if n_bytes >= step:
            return f"{n_bytes / step:.1f} {unit}"
    return f"{n_bytes:.0f} bytes"


def milliseconds(seconds: float) -> str:
    """A short time."""
    return f"{seconds * 1000:.2g} ms" if seconds < 0.1 else f"{seconds * 1000:,.0f} ms"


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def is_local(host: str) -> bool:
    """Whether that is this machine: loopback, or the path of a socket."""
    if host.startswith("/") or host.lower() in ("", "localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
