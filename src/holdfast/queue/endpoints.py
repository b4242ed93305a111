"""Where a URL leads: the address to connect to now, and how to say who we are."""

import ssl
from dataclasses import dataclass
from typing import Any

from redis.asyncio.connection import RedisSSLContext, SSLConnection, parse_url

from holdfast.errors import NotConfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One Redis server as it can be reached now."""

    host: str = "localhost"
    port: int = 6379
    path: str | None = None  # of a unix socket, instead of host and port
    tls: ssl.SSLContext | None = None
    username: str | None = None
    password: str | None = None
    db: int = 0


def parse(url: str) -> Endpoint:
    """What a redis://, rediss:// or unix:// URL says; NotConfigured when it is none.

    The message does not show the URL, because it may hold a password.
    """
    try:
        found: dict[str, Any] = dict(parse_url(url))
        options = {name[4:]: found.pop(name) for name in list(found) if name.startswith("ssl_")}
        secure = found.get("connection_class") is SSLConnection
        return Endpoint(
            host=found.get("host") or "localhost",
            port=int(found.get("port") or 6379),
            path=found.get("path"),
            tls=_tls(options) if secure else None,
            username=found.get("username"),
            password=found.get("password"),
            db=int(found.get("db") or 0),
        )
    except (ValueError, TypeError, OSError) as error:
        raise NotConfigured(f"no usable Redis URL: {error}") from None


async def resolve(url: str) -> Endpoint:
    """Where to connect now; asked anew at each attempt, because a primary may move."""
    return parse(url)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _tls(options: dict[str, object]) -> ssl.SSLContext:
    checked = str(options.get("check_hostname", "true")).lower() not in ("false", "no", "0")
    verified = str(options.get("cert_reqs", "required")).lower() != "none"
    context = RedisSSLContext(
        keyfile=_text(options.get("keyfile")),
        certfile=_text(options.get("certfile")),
        cert_reqs=str(options.get("cert_reqs", "required")),
        ca_certs=_text(options.get("ca_certs")),
        ca_path=_text(options.get("ca_path")),
        check_hostname=checked and verified,
        password=_text(options.get("password")),
    )
    return context.get()
