"""Generations of codeframes: what one may cost, start it, watch it, read what it made."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Response
from starlette.responses import StreamingResponse

from holdfast.api.bodies import problem_responses
from holdfast.api.bodies_codeframes import (
    GenerateBody,
    GeneratedBody,
    HierarchyBody,
    ProgressBody,
    StatusBody,
    WaveBody,
)
from holdfast.api.bodies_money import CostEstimateBody
from holdfast.api.dependencies import Stopping, TheService
from holdfast.api.events import EventFeed, Look
from holdfast.api.frames import hierarchy_body, progress_body, progress_digest
from holdfast.errors import BadInput, Conflict
from holdfast.service import GenerationRequest, Place, Service

router = APIRouter(prefix="/codeframe", tags=["codeframes"])

HAS_FRAME = frozenset({"completed", "partial", "applied"})

# What the service calls a setting, and where it stands in the body.
_PATHS = {"hierarchy": "hierarchy_preference"}
_IN_CONFIG = frozenset(
    {
        "hierarchy",
        "min_cluster_size",
        "min_samples",
        "existing_codes",
        "model",
        "in_doubt",
        "target_language",
        "batch",
        "review",
        "frame_of",
        "examples",
        "code_answers",
        "map_above",
        "whole",
        "budget_usd",
    }
)


@router.post("/generate", status_code=202, responses=problem_responses(404, 409, 413, 415, 422))
async def generate(
    body: GenerateBody,
    service: TheService,
    response: Response,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="A name of your own for this request: sent again, it finds the generation it started",
        ),
    ] = None,
) -> GeneratedBody:
    """Start a codeframe of a category's answers.

    The reply comes as soon as the generation is kept. The same request sent again while it is under way, or at any
    time with the same Idempotency-Key, starts nothing and answers with the same id.
    """
    try:
        created = await service.generations.start(_request(body, idempotency_key))
    except BadInput as error:
        raise _in_the_body(error) from error
    id_, path = created.generation.id, f"/api/v1/codeframe/{created.generation.id}"
    response.headers["Location"] = f"{path}/status"
    return GeneratedBody.model_validate(
        {
            "generation_id": id_,
            "status": "queued" if created.new else (await service.generations.status(id_)).status,
            "n_answers": created.generation.n_answers,
            "poll_url": f"{path}/status",
            "events_url": f"{path}/events",
            "cost_estimate": _estimate(created.generation.estimate, body),
        }
    )


@router.post("/estimate", responses=problem_responses(404, 413, 415, 422))
async def estimate(body: GenerateBody, service: TheService) -> CostEstimateBody:
    """What such a generation may cost, counted on the category's answers; nothing is started."""
    try:
        found = await service.estimates.of(_request(body, None))
    except BadInput as error:
        raise _in_the_body(error) from error
    return _estimate(None if found is None else found.to_json(), body)


@router.get("/{generation_id}/status", responses=problem_responses(304, 404, 422), response_model=StatusBody)
async def look_at_status(
    generation_id: UUID,
    service: TheService,
    response: Response,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
) -> StatusBody | Response:
    """Where the generation is, right now, and its codeframe once there is one.

    The ETag is weak: it stays while nothing but `eta_seconds` and `processing_time_ms` changes.
    """
    progress = await _progress(service, generation_id)
    headers = {"ETag": f'W/"{progress_digest(progress)}"', "Cache-Control": "no-cache"}
    if _matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    result = None
    if progress.status in HAS_FRAME:
        result = hierarchy_body(await service.generations.hierarchy(generation_id))
    response.headers.update(headers)
    return StatusBody(**{name: getattr(progress, name) for name in ProgressBody.model_fields}, result=result)


@router.get("/{generation_id}/hierarchy", responses=problem_responses(404, 409, 422))
async def read_hierarchy(generation_id: UUID, service: TheService, response: Response) -> HierarchyBody:
    """The codeframe; 409 while there is none. The ETag is its version."""
    body = hierarchy_body(await service.generations.hierarchy(generation_id))
    response.headers["ETag"] = f'"{body.version}"'
    return body


@router.get("/{generation_id}/wave", responses=problem_responses(404, 409, 422))
async def read_wave(generation_id: UUID, service: TheService) -> WaveBody:
    """What moved since the wave whose codeframe it was generated with (`config.frame_of`), and what is new."""
    generation = await service.generations.get(generation_id)
    told = (generation.result or {}).get("wave")
    if told is None:
        raise Conflict(f"generation {generation_id} has no wave to compare with: start one with config.frame_of")
    return WaveBody.model_validate(told)


@router.get(
    "/{generation_id}/events",
    responses={
        **problem_responses(404, 422),
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        204: {"description": "You have the last event already"},
    },
    response_class=StreamingResponse,
)
async def follow_events(
    generation_id: UUID,
    service: TheService,
    stopping: Stopping,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=100)] = None,
) -> Response:
    """Server-sent events, the last one says how it ended.

    `status` when the status changes and `progress` at each step have the status without `result` as their data, `unit`
    has a unit that ended, `cost` the money. After a break send `Last-Event-ID`: every unit that ended since is told,
    and the newest progress; what you have is left out.
    """

    async def look(after: Place | None) -> Look:
        progress = await _progress(service, generation_id)
        return Look(progress=progress, ended=await service.generations.ended_units(generation_id, after=after))

    feed = EventFeed(look, last_event_id=last_event_id, stopping=stopping)
    first = await feed.begin()
    if first is None:
        return Response(status_code=204)
    events: AsyncIterator[str] = feed.events(first)
    return StreamingResponse(
        events, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


async def _progress(service: Service, generation_id: UUID) -> ProgressBody:
    return progress_body(await service.generations.status(generation_id))


def _request(body: GenerateBody, idempotency_key: str | None) -> GenerationRequest:
    return GenerationRequest(
        category_id=body.category_id,
        config=body.generation_config(),
        answer_ids=body.answer_ids,
        idempotency_key=idempotency_key,
        budget=body.config.budget_usd,
    )


def _estimate(said: dict[str, Any] | None, body: GenerateBody) -> CostEstimateBody:
    told = said or {"n_calls": body.n_clusters or 0}
    return CostEstimateBody.model_validate({name: told[name] for name in CostEstimateBody.model_fields if name in told})


def _matches(if_none_match: str | None, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


def _in_the_body(error: BadInput) -> BadInput:
    problems = [
        replace(each, path=f"body.{'config.' if each.path in _IN_CONFIG else ''}{_PATHS.get(each.path, each.path)}")
        for each in error.problems
    ]
    return BadInput(str(error), problems=problems)
