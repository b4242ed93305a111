"""Who may come in: the names this server goes by, pages of other sites, keys."""

import hashlib
import hmac
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from holdfast.api.problems import problem
from holdfast.errors import NotConfigured
from holdfast.settings import Settings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# Everything else needs a key once there are keys.
OPEN_PATHS = frozenset({"/api/v1/health/live", "/api/v1/health/ready", "/openapi.json", "/docs"})


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that is bound to `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_keys(settings: Settings) -> None:
    """Only this machine may come without a key. Raises NotConfigured."""
    if not (settings.api_keys or is_loopback(settings.host)):
        raise NotConfigured(
            f"binding to {settings.host or 'every address'} lets others in: set HOLDFAST_API_KEYS to one or more keys "
            "(comma between them), or bind to 127.0.0.1 (HOLDFAST_HOST)"
        )


class KnownHosts:
    """Refuses names that this server does not go by, and writes from pages of other sites.

    A page anywhere may let its own name point to 127.0.0.1 (DNS rebinding), or post a form to it: without keys, what
    the browser says about where the request comes from is all there is.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str], check_origin: bool) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._check_origin = check_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _without_port(hosts[0]) not in self._hosts:
            known = ", ".join(sorted(self._hosts))
            return await problem(403, f"this server goes by the names {known} only")(scope, receive, send)
        if self._check_origin and scope.get("method") not in SAFE_METHODS and self._foreign(headers):
            return await problem(403, "pages of other sites may not change anything here")(scope, receive, send)
        return await self._app(scope, receive, send)

    def _foreign(self, headers: Headers) -> bool:
        if headers.get("sec-fetch-site", "none") == "cross-site":
            return True
        origin = headers.get("origin")
        return origin is not None and _without_port(urlsplit(origin).netloc) not in self._hosts


class Keys:
    """Lets in who brings one of the keys, as `Authorization: Bearer …` or `X-API-Key: …`."""

    def __init__(self, app: ASGIApp, *, keys: Sequence[str]) -> None:
        self._app = app
        self._digests = tuple(_digest(key) for key in keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            return await self._app(scope, receive, send)
        has_key = self._knows(Headers(scope=scope))
        scope.setdefault("state", {})["has_key"] = has_key  # open paths tell less without one
        if has_key or scope["path"] in OPEN_PATHS:
            return await self._app(scope, receive, send)
        detail = "send one of the server's keys as `Authorization: Bearer …` or `X-API-Key: …`"
        return await problem(401, detail, headers={"WWW-Authenticate": "Bearer"})(scope, receive, send)

    def _knows(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = [token.strip()] if scheme.lower() == "bearer" else []
        given += headers.getlist("x-api-key")
        # Digests have one length, and all are compared: the time taken says nothing about a key.
        return sum(hmac.compare_digest(_digest(key), digest) for key in given for digest in self._digests) > 0


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _without_port(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()
