"""Answers: they come in as rows or as a file, and are listed in pages."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from starlette.datastructures import FormData, UploadFile

from holdfast.api.bodies import problem_responses
from holdfast.api.bodies_categories import (
    AnswerBody,
    AnswersBody,
    BadRowBody,
    ImportBody,
    Malformed,
    read_rows,
)
from holdfast.api.dependencies import CategoryId, Cursor, Limit, Search, TheService
from holdfast.api.limits import FORM, JSON
from holdfast.errors import BadInput, Problem
from holdfast.service import FileToImport, Service

router = APIRouter(prefix="/categories/{category_id}/answers", tags=["categories and answers"])

FORM_FIELDS = ("text_column", "id_column", "sheet")

_FORM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "csv, tsv (also .gz), xlsx or sav, up to 200 MB"},
        "text_column": {"type": "string", "description": "The column with the answers; guessed without it"},
        "id_column": {"type": "string", "description": "The column with your ids; guessed without it"},
        "sheet": {"type": "string", "description": "The workbook's sheet; the first with rows without it"},
    },
}
_REQUEST = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": {"$ref": "#/components/schemas/RowsBody"}},
            FORM: {"schema": _FORM_SCHEMA},
        },
    }
}


@router.post("", status_code=201, responses=problem_responses(404, 413, 415, 422), openapi_extra=_REQUEST)
async def import_answers(category_id: CategoryId, request: Request, service: TheService) -> ImportBody:
    """Import rows (JSON) or a whole file (a form), in one transaction.

    Rows that cannot be used are listed and the others kept; a file that cannot be used is refused as a whole.
    """
    if request.headers.get("content-type", "").lower().startswith(FORM):
        return await _import_form(category_id, request, service)
    await service.imports.category(category_id)  # a body for nowhere need not be read
    try:
        read = await asyncio.to_thread(read_rows, await request.body())
    except Malformed as error:
        raise HTTPException(400, str(error)) from error
    done = await service.imports.import_rows(category_id, read.rows)
    return _said(done, n_bad=read.n_bad, bad_rows=read.bad)


@router.get("", responses=problem_responses(404, 422))
async def list_answers(
    category_id: CategoryId, service: TheService, cursor: Cursor, search: Search, limit: Limit = 100
) -> AnswersBody:
    """A page of answers, in the order they were imported."""
    found, total = await service.imports.answers(category_id, after=cursor, limit=limit + 1, search=search)
    items = tuple(AnswerBody.model_validate(answer, from_attributes=True) for answer in found[:limit])
    return AnswersBody(items=items, total=total, next_cursor=str(items[-1].id) if len(found) > limit else None)


async def _import_form(category_id: int, request: Request, service: Service) -> ImportBody:
    await service.imports.category(category_id)  # 200 MB for nowhere need not be read
    async with request.form(max_files=1, max_fields=len(FORM_FIELDS), max_part_size=10_000) as form:
        file, fields = _fields(form)
        async with _on_disk(file) as path:
            done = await service.imports.import_file(
                category_id, FileToImport(path=path, name=file.filename or "file", **fields)
            )
    return _said(done, n_bad=0, bad_rows=())


def _fields(form: FormData) -> tuple[UploadFile, dict[str, str]]:
    problems = [
        Problem(path=f"body.{name}", message="is not a field of this form")
        for name in form
        if name not in {"file", *FORM_FIELDS}
    ]
    problems += [
        Problem(path=f"body.{name}", message="must be given once, as text")
        for name in FORM_FIELDS
        if name in form and (len(form.getlist(name)) > 1 or not isinstance(form[name], str))
    ]
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        problems.append(Problem(path="body.file", message="must be a file with its name"))
    if problems or not isinstance(file, UploadFile):
        raise BadInput("; ".join(f"{each.path} {each.message}" for each in problems), problems=problems)
    return file, {name: str(form[name]) for name in FORM_FIELDS if form.get(name)}


@asynccontextmanager
async def _on_disk(file: UploadFile) -> AsyncIterator[Path]:
    """The uploaded file under a name of our own: readers open it more than once."""
    with tempfile.TemporaryDirectory(prefix="holdfast-import-") as folder:
        path = Path(folder) / "upload"

        def copy() -> None:
            with path.open("wb") as target:
                shutil.copyfileobj(file.file, target, 1 << 20)

        await asyncio.to_thread(copy)
        yield path


def _said(done: object, *, n_bad: int, bad_rows: tuple[BadRowBody, ...]) -> ImportBody:
    fields = {name: getattr(done, name) for name in ImportBody.model_fields if name not in {"n_bad", "bad_rows"}}
    return ImportBody(**fields, n_bad=n_bad, bad_rows=bad_rows)
