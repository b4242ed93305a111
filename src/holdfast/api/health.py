"""Health: does this process answer, and can it work on its servers?"""

from fastapi import APIRouter, Request, Response

from holdfast.api.bodies import problem_responses
from holdfast.api.bodies_health import LineBody, LiveBody, ReadyBody
from holdfast.api.dependencies import TheReadiness
from holdfast.api.problems import problem
from holdfast.doctor import Line
from holdfast.errors import Problem

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> LiveBody:
    """This process is up. It says nothing about the servers it needs."""
    return LiveBody()


@router.get("/ready", responses=problem_responses(), response_model=ReadyBody)
async def ready(request: Request, readiness: TheReadiness) -> ReadyBody | Response:
    """The deployment checklist of `holdfast doctor`, at most 5 s old; 503 when a server is away or cannot be used.

    What is set up badly, and still works, is in the lines and is no reason for a 503. Once the server has keys, figures
    and fixes are for those who send one.
    """
    report = await readiness.report()
    is_known: bool = getattr(request.state, "has_key", True)
    if report.is_ready:
        return ReadyBody(level=report.level, lines=tuple(_body(line, whole=is_known) for line in report.lines))
    broken = [line for line in report.lines if line.level == "fail"]
    errors = [Problem(path=line.name, message=_message(line) if is_known else "fails") for line in broken]
    return problem(
        503, f"not ready: {', '.join(line.name for line in broken)}", errors=errors, headers={"Retry-After": "2"}
    )


def _body(line: Line, *, whole: bool) -> LineBody:
    return LineBody(
        name=line.name,
        level=line.level,
        figure=line.figure if whole else None,
        fix=(line.fix or None) if whole else None,
    )


def _message(line: Line) -> str:
    return f"{line.figure}. Fix: {line.fix}"
