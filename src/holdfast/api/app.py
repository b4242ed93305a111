"""The application: resources below /api/v1, guards around them, problems for every error."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.middleware import Middleware

from holdfast import __version__
from holdfast.api import (
    answers,
    assignments,
    categories,
    codeframes,
    costs,
    docs,
    examples,
    exports,
    health,
    metrics,
    problems,
    queue,
    steering,
)
from holdfast.api.bodies import ProblemBody
from holdfast.api.bodies_categories import RowsBody
from holdfast.api.guards import LOOPBACK_NAMES, Keys, KnownHosts, is_loopback, require_keys
from holdfast.api.limits import BodyLimits
from holdfast.api.readiness import Readiness
from holdfast.service import Service
from holdfast.settings import Settings

PREFIX = "/api/v1"
ABOUT = """Turns open-ended survey answers into a codeframe, by generations that survive anything.

1. `POST /api/v1/categories`, then `POST /api/v1/categories/{id}/answers` with a file or rows.
2. `POST /api/v1/codeframe/generate` answers at once with a `generation_id`.
3. Poll `GET /api/v1/codeframe/{id}/status` or follow `GET /api/v1/codeframe/{id}/events`.
4. `GET /api/v1/codeframe/{id}/hierarchy` is the codeframe, `…/export?format=xlsx` the coded table, `…/report` a page.

Every error is `application/problem+json`. Money is a decimal string in US dollars, times are ISO 8601 in UTC."""


def create_app(service: Service, *, hosts: Sequence[str] = (), stopping: asyncio.Event | None = None) -> FastAPI:
    """The API over `service`, which stays the caller's to close.

    `hosts`: names the server goes by beside localhost's, as a proxy on this machine passes them on. `stopping`: ends
    event streams, which a server that shuts down would wait for. Raises NotConfigured for a bind that others can reach
    without keys.
    """
    app = FastAPI(
        title="Holdfast",
        version=__version__,
        description=ABOUT,
        docs_url=None,  # the framework's page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(problems.Unexpected), *_guards(service.settings, hosts), Middleware(BodyLimits)],
    )
    app.state.service = service
    app.state.readiness = Readiness(service)
    app.state.stopping = stopping or asyncio.Event()
    problems.install(app)
    app.include_router(_routes())
    app.include_router(docs.router)
    app.include_router(metrics.router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign] # the documented way to extend it
    return app


def _guards(settings: Settings, hosts: Sequence[str]) -> list[Middleware]:
    require_keys(settings)
    keys = settings.api_keys
    guards = []
    if is_loopback(settings.host):
        names = [*LOOPBACK_NAMES, settings.host, *hosts]
        guards.append(Middleware(KnownHosts, hosts=names, check_origin=not keys))
    if keys:
        guards.append(Middleware(Keys, keys=keys))
    return guards


def _routes() -> APIRouter:
    # The guard checks keys; these only tell /docs how to send one.
    ways_in = [Depends(HTTPBearer(auto_error=False)), Depends(APIKeyHeader(name="X-API-Key", auto_error=False))]
    routes = APIRouter(prefix=PREFIX)
    routes.include_router(health.router)
    for resource in (codeframes, steering, examples, assignments, exports, costs, categories, answers, queue):
        routes.include_router(resource.router, dependencies=ways_in)
    return routes


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        known = schema.setdefault("components", {}).setdefault("schemas", {})
        for body in (ProblemBody, RowsBody):  # no route names them: one is every error, the other is read row by row
            own = body.model_json_schema(ref_template="#/components/schemas/{model}")
            known |= own.pop("$defs", {}) | {body.__name__: own}
        app.openapi_schema = schema
    return app.openapi_schema
