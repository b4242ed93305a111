"""Real processes that open the servers of a folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

OWNER = """
import sys
from pathlib import Path
from holdfast.embedded import open_servers
with open_servers(Path(sys.argv[1]), postgres=sys.argv[2] == "postgres") as servers:
    print("owned" if servers.owned else "attached", servers.redis_url, flush=True)
    while sys.stdin.readline().strip() == "owns?":
        print(servers.owned, flush=True)
"""


class Owner:
    """A real process that opens the servers of a folder."""

    def __init__(self, home: Path, *, postgres: bool = True, script: str = OWNER) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-c", script, str(home), "postgres" if postgres else "none"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def said(self) -> list[str]:
        assert self.child.stdout
        return self.child.stdout.readline().split()

    @property
    def owns(self) -> bool:
        assert self.child.stdin
        self.child.stdin.write("owns?\n")
        self.child.stdin.flush()
        return self.said() == ["True"]

    def kill(self) -> None:
        self.child.kill()
        self.child.communicate()

    def leave(self) -> None:
        self.child.communicate("\n", timeout=60)


def patient(url: str) -> redis.Redis:
    """A client that tries again until Redis is back."""
    return redis.Redis.from_url(url, decode_responses=True, retry=Retry(ConstantBackoff(0.05), 1000))


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
