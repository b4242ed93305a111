"""What a request's body may be: its type and its size, checked while it comes in."""

import re
from dataclasses import dataclass

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holdfast.api.problems import problem

MB = 1_000_000

JSON = "application/json"
FORM = "multipart/form-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The bodies a path takes: bytes at most, by content type."""

    path: re.Pattern[str]
    most: dict[str, int]


RULES = (
    # A form is a little longer than the file in it.
    Rule(path=re.compile(r".*/categories/[^/]+/answers"), most={JSON: 50 * MB, FORM: 201 * MB}),
    # Room for the ids of a million answers, or for examples.
    Rule(path=re.compile(r".*/codeframe/(generate|estimate)"), most={JSON: 12 * MB}),
    Rule(path=re.compile(r".*"), most={JSON: 1 * MB}),
)


class BodyLimits:
    """Refuses bodies of other types with 415 and longer ones with 413, at the latest when they become too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else None
        if headers is None or not _has_body(headers):
            return await self._app(scope, receive, send)
        most = next(rule.most for rule in RULES if rule.path.fullmatch(scope["path"]))
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in most:
            taken = " or ".join(most)
            return await problem(415, f"the body must be {taken}, not {kind or 'of no type'}")(scope, receive, send)
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > most[kind]:
            return await problem(413, _too_long(most[kind]))(scope, receive, send)
        return await self._app(scope, _counted(receive, most[kind]), send)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _counted(receive: Receive, most: int) -> Receive:
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise HTTPException(413, _too_long(most))
        return message

    return receiving


def _too_long(most: int) -> str:
    return f"the body is longer than {most // MB:,} MB, the most that is taken here"
