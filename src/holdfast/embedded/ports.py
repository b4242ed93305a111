"""Ports of 127.0.0.1: a free one, and starting a server on it although another program may be quicker."""

import random
import socket
from collections.abc import Callable
from pathlib import Path

from holdfast.errors import EmbeddedError

TRIES = 10
TAKEN = "ddress already in use"  # both servers' words when another program has the port
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST = 10240


def start_on_a_port(attempt: Callable[[int], str | None], *, fixed: int | None, kept: int | None, log: Path) -> int:
    """Call `attempt` with ports until it succeeds; returns the port.

    An attempt returns None, or what the failed server said. A `fixed` port is the only one tried, as its address was
    given out; `kept` (the last owner's) is tried first. Raises EmbeddedError.
    """
    port = fixed or kept or free_port()
    for _ in range(TRIES):
        said = attempt(port)
        if said is None:
            return port
        if fixed or TAKEN not in said:
            raise EmbeddedError(
                f"the server did not start on port {port}; its last words: {_last_words(said)} (more in {log})"
            )
        port = free_port()
    raise EmbeddedError(f"no port stayed free long enough in {TRIES} tries; the last one was {port}")


def free_port() -> int:
    """A port that nobody listens on now, outside the range of outgoing connections.

    While a server is down its clients connect again and again: inside that range one of their own sockets could take
    the server's port, or even connect to itself.
    """
    low = int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else 32768
    for _ in range(100):
        port = random.randrange(LOWEST, low) if low > LOWEST + 1000 else 0
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedError("no free port was found on 127.0.0.1 in 100 tries")


def _last_words(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return " | ".join(lines[-4:]) or "it said nothing"
