"""What a person says of answers' codes: confirm them, ask which to confirm next, compare."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from holdfast.api.bodies import MAX_ID, problem_responses
from holdfast.api.bodies_examples import (
    AgreementBody,
    ConfirmationBody,
    ConfirmationsBody,
    ConfirmBody,
    ConfirmedBody,
    ConfirmManyBody,
    SuggestionBody,
    SuggestionsBody,
)
from holdfast.api.dependencies import Cursor, Limit, TheService
from holdfast.errors import BadInput, Problem

router = APIRouter(prefix="/codeframe/{generation_id}", tags=["confirmed answers"])

AnswerId = Annotated[int, Path(ge=1, le=MAX_ID)]
_ERRORS = problem_responses(404, 409, 422)


@router.put("/answers/{answer_id}/codes", responses=_ERRORS)
async def confirm(generation_id: UUID, answer_id: AnswerId, body: ConfirmBody, service: TheService) -> ConfirmedBody:
    """Say what an answer's codes are; what was said of it before is replaced."""
    await service.confirmations.keep(generation_id, {answer_id: body.codes})
    return await _kept(service, generation_id, 1)


@router.delete(
    "/answers/{answer_id}/codes", status_code=204, response_class=Response, responses=problem_responses(404, 422)
)
async def forget(generation_id: UUID, answer_id: AnswerId, service: TheService) -> Response:
    """Forget what was said of an answer."""
    await service.confirmations.drop(generation_id, answer_id)
    return Response(status_code=204)


@router.put("/confirmations", responses=_ERRORS)
async def confirm_many(generation_id: UUID, body: ConfirmManyBody, service: TheService) -> ConfirmedBody:
    """Say what many answers' codes are, all of them or none; what was said of them before is replaced."""
    given = {each.answer_id: each.codes for each in body.items}
    if len(given) < len(body.items):
        problem = Problem(path="body.items", message="names an answer twice")
        raise BadInput("body.items names an answer twice; say once what its codes are", problems=[problem])
    await service.confirmations.keep(generation_id, given)
    return await _kept(service, generation_id, len(given))


@router.get("/confirmations", responses=problem_responses(404, 422))
async def list_confirmations(
    generation_id: UUID, service: TheService, cursor: Cursor, limit: Limit = 100
) -> ConfirmationsBody:
    """A page of the answers whose codes were confirmed, by their ids."""
    found, total = await service.confirmations.list(generation_id, after=cursor, limit=limit + 1)
    items = tuple(ConfirmationBody.model_validate(each, from_attributes=True) for each in found[:limit])
    more = len(found) > limit
    return ConfirmationsBody(items=items, total=total, next_cursor=str(items[-1].answer_id) if more else None)


@router.get("/suggestions", responses=_ERRORS)
async def suggest(
    generation_id: UUID,
    service: TheService,
    n: Annotated[int, Query(ge=1, le=500, description="Most answers to suggest")] = 50,
) -> SuggestionsBody:
    """The answers whose codes are best confirmed next: doubtful ones, different ones, those that many say.

    Learns the codeframe anew from what is confirmed, which takes seconds with thousands of answers.
    """
    found = await service.suggesting.suggest(generation_id, n=n)
    items = tuple(
        SuggestionBody(
            answer_id=each.answer_id,
            text=each.text,
            n_rows=each.n_rows,
            number=each.code.number or 0,
            code=each.code.name,
            probability=round(each.probability, 4),
        )
        for each in found.items
    )
    return SuggestionsBody(items=items, n_confirmed=found.n_confirmed)


@router.get("/agreement", responses=_ERRORS)
async def compare(generation_id: UUID, service: TheService) -> AgreementBody:
    """How far the generation's own codes agree with the confirmed ones: precision, recall, kappa, alpha, each code.

    Answers that were chosen because they are doubtful make it look worse than it is; a sample drawn by chance is fair.
    """
    found = (await service.confirmations.agreement(generation_id)).to_json()
    return AgreementBody.model_validate({name: found[name] for name in AgreementBody.model_fields})


async def _kept(service: TheService, generation_id: UUID, n_kept: int) -> ConfirmedBody:
    _, total = await service.confirmations.list(generation_id, limit=0)
    return ConfirmedBody(n_kept=n_kept, total=total)
