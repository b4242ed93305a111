"""What a URL says: which servers, how to log in, what to check of them.

redis://user:password@host:port/db     rediss://… (TLS)     unix:///path/of/socket?db=0
redis+sentinel://user:password@sentinel:26379,other:26379/service/db
redis+cluster://user:password@node:6379,other:6379          and with rediss+ for TLS
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qs, unquote

import redis
from redis.asyncio.connection import RedisSSLContext, SSLConnection, parse_url
from redis.backoff import NoBackoff
from redis.retry import Retry

from holdfast.errors import NotConfigured

Address: TypeAlias = tuple[str, int]

_MANY = re.compile(r"(rediss?)\+(sentinel|cluster)://(?:([^/?#]*)@)?([^/?#@]*)/?([^?#]*)(?:\?([^#]*))?")
_NODE = re.compile(r"(\[[^\]]+\]|[^:\[\]]+)(?::(\d{1,5}))?")
_SENTINEL_PORT, _REDIS_PORT = 26379, 6379


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One Redis server as it can be reached now."""

    host: str = "localhost"
    port: int = _REDIS_PORT
    path: str | None = None  # of a unix socket, instead of host and port
    tls: ssl.SSLContext | None = None
    tls_options: Mapping[str, Any] = field(default_factory=dict)  # what the context was made of
    username: str | None = None
    password: str | None = None
    db: int = 0

    def at(self, address: Address) -> "Endpoint":
        """The same login at another server."""
        return replace(self, host=address[0], port=address[1])

    def blocking(self, *, timeout: float) -> "redis.Redis":
        """A blocking client, for threads; `timeout` in seconds. It connects at its first command, and never retries."""
        where: dict[str, Any] = {"host": self.host, "port": self.port}
        if self.path is not None:
            where = {"unix_socket_path": self.path}
        elif self.tls is not None:
            where |= {"ssl": True} | {f"ssl_{name}": value for name, value in self.tls_options.items()}
        return redis.Redis(
            **where,
            username=self.username,
            password=self.password,
            db=self.db,
            protocol=2,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to ask for the endpoint, and the login there."""

    kind: Literal["one", "sentinel", "cluster"]
    login: Endpoint  # at the queue's server; where that is known, with its address
    nodes: tuple[Address, ...] = ()  # the sentinels, or some nodes of the cluster
    asking: Endpoint = field(default_factory=Endpoint)  # the login at those
    service: str = ""  # what the sentinels call the primary


def parse(url: str) -> Target:
    """What a URL says; NotConfigured when it is none. The message does not show it: it may hold a password."""
    try:
        many = _MANY.fullmatch(url)
        return Target(kind="one", login=_one(url)) if many is None else _many(*many.groups())
    except (ValueError, TypeError, OSError) as error:
        raise NotConfigured(f"no usable Redis URL: {error}") from None


def _many(scheme: str, kind: str, login: str | None, hosts: str, path: str, query: str | None) -> Target:
    parts = [unquote(part) for part in path.split("/") if part]
    service = parts.pop(0) if kind == "sentinel" and parts else ""
    if kind == "sentinel" and not service:
        raise ValueError(
            "redis+sentinel://host:port/service needs the name of the service, as `sentinel monitor` has it"
        )
    port = _SENTINEL_PORT if kind == "sentinel" else _REDIS_PORT
    nodes = tuple(_node(text, port) for text in hosts.split(","))
    at = f"{login}@" if login else ""
    one = _one(f"{scheme}://{at}localhost/{'/'.join(parts)}?{query or ''}")
    if kind == "cluster":
        if one.db:
            raise ValueError("a cluster has database 0 only")
        return Target(kind="cluster", login=one, nodes=nodes, asking=one)
    own = {name: values[0] for name, values in parse_qs(query or "").items()}
    asking = replace(one, db=0, username=own.get("sentinel_username"), password=own.get("sentinel_password"))
    return Target(kind="sentinel", login=one, nodes=nodes, asking=asking, service=service)


def _node(text: str, port: int) -> Address:
    found = _NODE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no host:port")
    return found[1].strip("[]"), int(found[2] or port)


def _one(url: str) -> Endpoint:
    found: dict[str, Any] = dict(parse_url(url))
    given = {name[4:]: found.pop(name) for name in list(found) if name.startswith("ssl_")}
    options = _tls_options(given) if found.get("connection_class") is SSLConnection else {}
    return Endpoint(
        host=found.get("host") or "localhost",
        port=int(found.get("port") or _REDIS_PORT),
        path=found.get("path"),
        tls=RedisSSLContext(**options).get() if options else None,
        tls_options=options,
        username=found.get("username"),
        password=found.get("password"),
        db=int(found.get("db") or 0),
    )


def _tls_options(given: Mapping[str, object]) -> dict[str, Any]:
    checked = str(given.get("check_hostname", "true")).lower() not in ("false", "no", "0")
    needed = str(given.get("cert_reqs", "required")).lower()
    files = {name: _text(given.get(name)) for name in ("keyfile", "certfile", "ca_certs", "ca_path", "password")}
    return files | {"cert_reqs": needed, "check_hostname": checked and needed != "none"}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
