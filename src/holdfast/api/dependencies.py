"""What routes ask for: the service, the ids in their paths, pages."""

import asyncio
from typing import Annotated, TypeAlias

from fastapi import Depends, Path, Query, Request

from holdfast.api.bodies import MAX_ID
from holdfast.api.readiness import Readiness
from holdfast.errors import BadInput, Problem
from holdfast.service import Service

MAX_PAGE = 1000


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _readiness(request: Request) -> Readiness:
    readiness: Readiness = request.app.state.readiness
    return readiness


async def _stopping(request: Request) -> asyncio.Event:
    stopping: asyncio.Event = request.app.state.stopping
    return stopping


async def _cursor(cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 20 and int(cursor) <= MAX_ID):
        message = "must be the `next_cursor` of the page before"
        raise BadInput(f"cursor {message}", problems=[Problem(path="query.cursor", message=message)])
    return int(cursor)


async def _search(
    search: Annotated[str | None, Query(max_length=500, description="Words the text contains, in any case")] = None,
) -> str | None:
    if search is not None and "\0" in search:
        raise BadInput(
            "search must not hold NUL characters",
            problems=[Problem(path="query.search", message="must not hold NUL characters")],
        )
    return search


TheReadiness: TypeAlias = Annotated[Readiness, Depends(_readiness)]
TheService: TypeAlias = Annotated[Service, Depends(_service)]
Stopping: TypeAlias = Annotated[asyncio.Event, Depends(_stopping)]
Cursor: TypeAlias = Annotated[int, Depends(_cursor)]
Search: TypeAlias = Annotated[str | None, Depends(_search)]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Most items of the page")]
CategoryId: TypeAlias = Annotated[int, Path(ge=1, le=MAX_ID)]
