"""The ledger over HTTP: a generation's calls, and totals as JSON or CSV."""

import csv
import io
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from holdfast.api.bodies import problem_responses
from holdfast.api.bodies_money import CallBody, CallsBody, CostRowBody, CostsBody, GenerationBody, GenerationsBody
from holdfast.api.dependencies import CategoryId, Cursor, Limit, TheService
from holdfast.service import Grouping

router = APIRouter(tags=["costs"])

CallState = Literal["intent", "in_doubt", "replied", "superseded", "failed", "settled"]


@router.get("/codeframe/{generation_id}/calls", responses=problem_responses(404, 422))
async def list_calls(
    generation_id: UUID, service: TheService, cursor: Cursor, limit: Limit = 100, state: CallState | None = None
) -> CallsBody:
    """A page of the generation's calls to its provider, the oldest first."""
    found, total = await service.costs.calls(generation_id, state=state, offset=cursor, limit=limit)
    items = tuple(CallBody.model_validate(call, from_attributes=True) for call in found)
    more = cursor + len(items) < total
    return CallsBody(items=items, total=total, next_cursor=str(cursor + len(items)) if more else None)


@router.get(
    "/costs",
    responses={**problem_responses(422), 200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    response_model=CostsBody,
)
async def list_costs(
    service: TheService,
    since: Annotated[datetime | None, Query(alias="from", description="Calls begun at or after this time")] = None,
    until: Annotated[datetime | None, Query(alias="to", description="Calls begun before this time")] = None,
    by: Grouping = "month",
    format: Literal["json", "csv"] = "json",  # noqa: A002 - the word in the URL
) -> CostsBody | Response:
    """What calls have cost, those of deleted generations included. Times without an offset are UTC."""
    found = await service.costs.totals(since=since, until=until, by=by)
    items = tuple(CostRowBody.model_validate(row, from_attributes=True) for row in found)
    if format == "csv":
        return Response(_csv(items), media_type="text/csv; charset=utf-8")
    spent, doubtful = (sum((getattr(row, name) for row in items), Decimal(0)) for name in ("spent_usd", "in_doubt_usd"))
    return CostsBody(by=by, items=items, spent_usd=spent, in_doubt_usd=doubtful)


@router.get("/category/{category_id}/generations", responses=problem_responses(404, 422))
async def list_generations(category_id: CategoryId, service: TheService) -> GenerationsBody:
    """Every generation of the category, the newest first."""
    found = await service.generations.of_category(category_id)
    items = tuple(
        GenerationBody(
            generation_id=each.id,
            state=each.state,
            model=each.config.get("model", "offline"),
            n_answers=each.n_answers,
            budget_usd=each.budget_usd,
            created_at=each.created_at,
            finished_at=each.finished_at,
        )
        for each in found
    )
    return GenerationsBody(items=items, total=len(items))


def _csv(items: tuple[CostRowBody, ...]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(CostRowBody.model_fields)
    rows.writerows(row.model_dump(mode="json").values() for row in items)
    return text.getvalue()
