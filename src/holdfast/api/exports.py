"""A finished codeframe as a file: the coded table in any format, and the report."""

import shutil
import tempfile
from pathlib import Path
from typing import Literal, TypeAlias
from uuid import UUID

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from holdfast.api.bodies import problem_responses
from holdfast.api.dependencies import TheService
from holdfast.service import Service

router = APIRouter(prefix="/codeframe/{generation_id}", tags=["codeframes"])

Format: TypeAlias = Literal["csv", "xlsx", "json", "sav", "html"]

TYPES: dict[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "sav": "application/x-spss-sav",
    "html": "text/html; charset=utf-8",
}
# The report allows its own script alone and loads nothing; it has no business with this API's pages either.
REPORT_POLICY = "sandbox allow-scripts"


def _files(*formats: str) -> dict[int | str, dict[str, object]]:
    schema = {"schema": {"type": "string", "format": "binary"}}
    content = {TYPES[each].partition(";")[0]: schema for each in formats}
    return {**problem_responses(404, 409, 422), 200: {"description": "The file", "content": content}}


@router.get("/export", responses=_files("csv", "xlsx", "json", "sav", "html"), response_class=FileResponse)
async def export(
    generation_id: UUID,
    service: TheService,
    format: Format = "csv",  # noqa: A002 - the word in the URL
) -> FileResponse:
    """The table with every answer coded, in the order it was imported; as html the report. 409 until there is one."""
    return await _file(service, generation_id, format, disposition="attachment")


@router.get("/report", responses=_files("html"), response_class=FileResponse)
async def report(generation_id: UUID, service: TheService) -> FileResponse:
    """The codeframe as a page to look at: tree, bars, map of the answers, quotes, MECE issues; it loads nothing."""
    found = await _file(service, generation_id, "html", disposition="inline")
    found.headers["Content-Security-Policy"] = REPORT_POLICY
    return found


async def _file(service: Service, generation_id: UUID, kind: str, *, disposition: str) -> FileResponse:
    folder = Path(tempfile.mkdtemp(prefix="holdfast-export-"))
    path = folder / f"codeframe-{generation_id}.{kind}"
    try:
        await service.tables.write(generation_id, path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        path,
        media_type=TYPES[kind],
        filename=path.name,
        content_disposition_type=disposition,
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )
