"""Finds the server that has the queue now, at each attempt to connect: it may have moved.

A plain URL is where it says. Sentinels are asked in turn for their primary. In a cluster all keys of a queue are in one
slot, because they share a hash tag, and any node says which master serves it: one connection, to that one, is enough.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import redis
from redis.crc import key_slot
from redis.exceptions import ClusterDownError, ConnectionError, MovedError, ReadOnlyError, RedisError, ResponseError  # noqa: A004

from holdfast.errors import NotConfigured, UnfitServer
from holdfast.queue.link.endpoints import Address, Endpoint, Target, parse
from holdfast.queue.link.wire import Server, Wire, open_wire

OLDEST = (6, 2)
ASK_TIMEOUT = 1.0  # seconds a sentinel or a node may take to say where the server is
KNOWN_NODES = 50  # of a cluster, to ask next time


class Elsewhere(ConnectionError):
    """The server that was found does not have the queue; another look may find the one that has."""


def has_hash_tag(base: str) -> bool:
    """Whether all keys that begin like this are in one slot of a cluster."""
    _, brace, tagged = base.partition("{")
    return bool(brace) and tagged.find("}") > 0


class Finder:
    """Connects to where the URL leads now. `base` is what all keys of the queue begin with.

    One may be shared between threads: all it learns are single values.
    """

    def __init__(self, url: str, *, base: str = "") -> None:
        parse(url)  # NotConfigured now rather than an endless try to connect
        self._url = url
        self._base = base
        self._first = 0  # which of the nodes is asked first: another one when what it said was no use
        self._nodes: tuple[Address, ...] = ()  # of the cluster, as it said itself
        self._is_cluster = False  # though the URL does not say so

    async def connect(self, *, client_name: str | None = None) -> Wire:
        """An open connection to the server that has the queue.

        RedisError, OSError, TimeoutError or Interrupted when there is none now; UnfitServer when the server there
        cannot hold the queue.
        """
        target = self._target()
        # Asking blocks: it is done in a thread, by the very code that the lock-keeping thread uses.
        endpoint = target.login if target.kind == "one" else await asyncio.to_thread(self.find)
        wire = await open_wire(endpoint, client_name=client_name)
        try:
            self._check(target, wire.server)
        except BaseException:
            wire.close()
            raise
        return wire

    def find(self) -> Endpoint:
        """Where the server is now, asked in a blocking way; RedisError or OSError when nobody knows."""
        target = self._target()
        if target.kind == "one":
            return target.login
        told: list[str] = []
        for address in self._to_ask(target):
            try:
                with target.asking.at(address).blocking(timeout=ASK_TIMEOUT) as client:
                    found = _ask_sentinel(client, target) if target.service else self._ask_node(client, address)
            except (RedisError, OSError) as error:
                told.append(str(error))
            else:
                return target.login.at(found)
        self._first += 1
        raise ConnectionError(f"nobody says where the queue's server is now: {'; '.join(told)}")

    def _target(self) -> Target:
        try:
            target = parse(self._url)
        except NotConfigured as error:  # the file of a certificate was there at the start and is not now
            raise ConnectionError(str(error)) from error
        if self._is_cluster and target.kind == "one":
            seed = (target.login.host, target.login.port)
            return Target(kind="cluster", login=replace(target.login, path=None), nodes=(seed,), asking=target.login)
        return target

    def _to_ask(self, target: Target) -> Iterable[Address]:
        first = self._first % len(target.nodes)
        given = target.nodes[first:] + target.nodes[:first]
        return dict.fromkeys(self._nodes + given if target.kind == "cluster" else given)

    def _ask_node(self, client: "redis.Redis", asked: Address) -> Address:
        slot = key_slot(self._base.encode())
        rows: list[Any] = client.execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]
        # Rows of first slot, last slot, the master, its replicas; a node is host, port, id …
        masters = {(first, last): _address(nodes[0], asked) for first, last, *nodes in rows}
        self._nodes = tuple(dict.fromkeys(masters.values()))[:KNOWN_NODES]
        for (first, last), master in masters.items():
            if first <= slot <= last:
                return master
        raise ConnectionError(f"no node of the cluster serves slot {slot}")

    def _check(self, target: Target, server: Server) -> None:
        """UnfitServer for a server that can never hold the queue, Elsewhere for one that has it not."""
        if server.version and server.version < OLDEST:
            told = ".".join(map(str, server.version))
            raise UnfitServer(
                f"the server is Redis {told}; a queue needs Redis 6.2 or newer, or Valkey", reason="too_old"
            )
        if server.mode == "sentinel":
            raise UnfitServer(
                "that is a sentinel: the URL has to be redis+sentinel://host:port/name-of-the-service",
                reason="sentinel",
            )
        if server.mode == "cluster":
            if self._base and not has_hash_tag(self._base):
                raise UnfitServer(_untagged(self._base), reason="no_hash_tag")
            if target.kind == "one":
                self._is_cluster = True
                raise Elsewhere("that is a node of a cluster; the one that has the queue is looked for")
        if target.kind != "one" and server.role != "master":
            self._first += 1
            raise Elsewhere("that is a replica; its primary is looked for")


def _ask_sentinel(client: "redis.Redis", target: Target) -> Address:
    command = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", target.service)
    found: list[bytes] | None = client.execute_command(*command)  # type: ignore[no-untyped-call]
    if found is None:
        raise ConnectionError(f"the sentinel knows no service {target.service!r}")
    return found[0].decode(), int(found[1])


def _address(node: list[Any], asked: Address) -> Address:
    host = node[0].decode() if node[0] else ""
    # Nothing: the host that was asked. '?': a name that the node has not been told yet.
    return (host if host not in ("", "?") else asked[0]), int(node[1])


def _untagged(base: str) -> str:
    prefix, _, name = base[:-1].rpartition(":")
    return (
        "the server is a Redis Cluster: all keys of a queue have to be in one slot, which braces around a part of "
        f'their names see to. Use Queue("{name}", prefix="{{{prefix}}}"), in every program that uses this queue'
    )


class BlockingClient:
    """A blocking client, for a thread, that looks for the server anew after each error."""

    def __init__(self, finder: Finder, *, timeout: float) -> None:
        self._finder = finder
        self._timeout = timeout  # seconds to wait for a reply
        self._client: redis.Redis | None = None

    def evalsha(self, *command: Any) -> Any:
        """EVALSHA; RedisError or OSError, also when nobody knows where the server is."""
        return self._run("EVALSHA", *command)

    def eval(self, *command: Any) -> Any:
        """EVAL; errors as in `evalsha`."""
        return self._run("EVAL", *command)

    def info(self, section: str) -> Any:
        """INFO, as a dict; errors as in `evalsha`."""
        return self._run("INFO", section)

    def close(self) -> None:
        """Close the connection; the next command opens it again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _run(self, *command: Any) -> Any:
        try:
            if self._client is None:
                self._client = self._finder.find().blocking(timeout=self._timeout)
            return self._client.execute_command(*command)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            if isinstance(error, MovedError | ClusterDownError | ReadOnlyError):
                self.close()
            raise
        except (RedisError, OSError):
            self.close()
            raise
