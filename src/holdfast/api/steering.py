"""What a person does to a generation: pause, resume, cancel, retry what failed, settle what is in doubt, delete."""

from uuid import UUID

from fastapi import APIRouter, Response

from holdfast.api.bodies import problem_responses
from holdfast.api.bodies_money import BudgetBody, ResolveBody, ResolvedBody, RetriedBody, SteeredBody
from holdfast.api.dependencies import TheService
from holdfast.service import Service

router = APIRouter(prefix="/codeframe/{generation_id}", tags=["codeframes"])

_ERRORS = problem_responses(404, 409, 422)
_AS_BEFORE = BudgetBody()


@router.post("/pause", status_code=202, responses=_ERRORS)
async def pause(generation_id: UUID, service: TheService) -> SteeredBody:
    """Start nothing more for it until it is resumed; calls in flight are finished and recorded."""
    await service.steering.pause(generation_id)
    return SteeredBody.model_validate(await _now(service, generation_id))


@router.post("/resume", status_code=202, responses=_ERRORS)
async def resume(generation_id: UUID, service: TheService, body: BudgetBody = _AS_BEFORE) -> SteeredBody:
    """Go on with it, with a new budget if one is given. What was done is not done again."""
    await service.steering.resume(generation_id, budget=body.budget_usd)
    return SteeredBody.model_validate(await _now(service, generation_id))


@router.post("/cancel", status_code=202, responses=_ERRORS)
async def cancel(generation_id: UUID, service: TheService) -> SteeredBody:
    """Start nothing more for it; what is in flight is finished and recorded. 409 if it has ended already."""
    await service.steering.cancel(generation_id)
    return SteeredBody.model_validate(await _now(service, generation_id))


@router.post("/retry", status_code=202, responses=_ERRORS)
async def retry(generation_id: UUID, service: TheService, body: BudgetBody = _AS_BEFORE) -> RetriedBody:
    """Try what failed once more, and put the codeframe together again. 409 unless it is partial or failed."""
    n_retried = await service.steering.retry(generation_id, budget=body.budget_usd)
    return RetriedBody.model_validate({**await _now(service, generation_id), "n_retried": n_retried})


@router.post("/resolve", status_code=202, responses=_ERRORS)
async def resolve(generation_id: UUID, body: ResolveBody, service: TheService) -> ResolvedBody:
    """Say what became of calls in doubt; clusters that were held for them go on, or are given up."""
    done = await service.steering.resolve(generation_id, calls=body.call_ids, cost=body.cost_usd, then=body.then)
    led_to = {"call_ids": done.settled, "n_repeated": done.n_repeated, "n_given_up": done.n_given_up}
    return ResolvedBody.model_validate({**await _now(service, generation_id), **led_to})


@router.delete("", status_code=204, response_class=Response, responses=problem_responses(404, 409, 422))
async def delete(generation_id: UUID, service: TheService) -> Response:
    """Cancel it and delete what it made. What it cost stays in the ledger, without what was said."""
    await service.steering.delete(generation_id)
    return Response(status_code=204)


async def _now(service: Service, generation_id: UUID) -> dict[str, object]:
    return {"generation_id": generation_id, "status": (await service.generations.status(generation_id)).status}
