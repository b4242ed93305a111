"""Every error becomes a problem (RFC 9457): a constant type, a status, a detail that says what to do, and where."""

import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holdfast.api.bodies import FieldProblem, ProblemBody
from holdfast.errors import (
    BadInput,
    Conflict,
    HoldfastError,
    NotConfigured,
    NotFound,
    Problem,
    QueueUnavailable,
    Unavailable,
)

MAX_ERRORS = 100
MAX_FRAMES = 12
RETRY_AFTER = 2.0  # seconds, for a server that is away

# The status of each of our errors; the most special class comes first.
STATUSES: tuple[tuple[type[HoldfastError], int], ...] = (
    (BadInput, 422),
    (NotConfigured, 422),
    (NotFound, 404),
    (Conflict, 409),
    (Unavailable, 503),
    (QueueUnavailable, 503),
)

# Names of our own: those of Python's http module change with its release.
TITLES = {
    400: "Malformed request",
    401: "Key needed",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Invalid input",
    500: "Unexpected error",
    503: "Unavailable",
}

_WORDS = {"missing": "is required", "extra_forbidden": "is not a field of this body"}

log = structlog.get_logger("holdfast.api")


class ProblemResponse(JSONResponse):
    """A problem on its way out."""

    media_type = "application/problem+json"


def problem(
    status: int, detail: str, *, errors: Sequence[Problem] = (), headers: Mapping[str, str] | None = None
) -> ProblemResponse:
    """A problem's response."""
    title = TITLES.get(status) or HTTPStatus(status).phrase
    body = ProblemBody(
        type=f"urn:holdfast:problem:{title.lower().replace(' ', '-')}",
        title=title,
        status=status,
        detail=_printable(detail, 2000),
        errors=tuple(
            FieldProblem(path=_printable(each.path, 200), message=_printable(each.message, 500))
            for each in errors[:MAX_ERRORS]
        ),
    )
    return ProblemResponse(body.model_dump(mode="json"), status_code=status, headers=dict(headers or {}))


def install(app: FastAPI) -> None:
    """Let `app` answer with problems, whatever was raised."""
    app.add_exception_handler(HoldfastError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


class Unexpected:
    """What nobody foresaw is logged with its trace and answered with a problem without one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            return None
        except Exception as error:
            log.error("request failed", method=scope["method"], path=scope["path"], **_without_values(error))
            if begun:
                raise  # half a reply is out: the server has to cut the connection
            detail = "something went wrong here; the server's log says what"
            await problem(500, detail)(scope, receive, send)
        return None


def _without_values(error: BaseException) -> dict[str, Any]:
    """What went wrong and where. Messages stay out of the log: drivers quote the values they could not take."""
    kinds, cause = [type(error).__name__], error.__cause__
    while cause is not None:
        kinds.append(type(cause).__name__)
        cause = cause.__cause__
    frames = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    ours = [frame for frame in frames if "holdfast" in frame]
    return {"error": " from ".join(kinds), "trace": list(dict.fromkeys([*ours[-MAX_FRAMES:], *frames[-3:]]))}


async def _ours(request: Request, error: Exception) -> ProblemResponse:
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    if status == 500:
        raise error
    problems = error.problems if isinstance(error, BadInput) else ()
    headers = {}
    if status == 503:
        seconds = error.retry_after if isinstance(error, Unavailable) else RETRY_AFTER
        headers["Retry-After"] = str(max(1, round(seconds)))
    return problem(status, str(error), errors=problems, headers=headers)


async def _invalid(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    for each in found:
        if each["type"] == "json_invalid":
            return problem(400, f"the body is not valid JSON: {each.get('ctx', {}).get('error', each['msg'])}")
    problems = [Problem(path=_path(each["loc"]), message=_message(each)) for each in found]
    said = "; ".join(f"{each.path}: {each.message}" for each in problems[:3])
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    return problem(422, said + more, errors=problems)


async def _http(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    detail = str(error.detail)
    if detail == HTTPStatus(error.status_code).phrase:
        place = f"{request.method} {request.url.path}"
        allowed = (error.headers or {}).get("Allow", "other methods")
        words = {404: f"there is no {place}; see /docs", 405: f"there is no {place}; this path allows {allowed}"}
        detail = words.get(error.status_code, detail)
    return problem(error.status_code, detail, headers=error.headers)


def _path(loc: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in loc)


def _message(error: Mapping[str, Any]) -> str:
    said = _WORDS.get(error["type"]) or str(error["msg"])
    return said.removeprefix("Value error, ").replace("Input should be", "must be")


def _printable(text: str, longest: int) -> str:
    # A field's name comes from the client and may be anything, also half a surrogate pair.
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"
