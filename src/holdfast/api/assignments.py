"""What answers were coded to, and a person's word on one of them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from holdfast.api.bodies import problem_responses
from holdfast.api.bodies_examples import AssignedCodeBody, AssignmentBody, AssignmentsBody, CodeByHandBody, CodedBody
from holdfast.api.dependencies import Cursor, Limit, TheService
from holdfast.api.examples import AnswerId

router = APIRouter(tags=["confirmed answers"])

_ERRORS = problem_responses(404, 409, 422)


async def _filters(
    code: Annotated[int | None, Query(description="Number of a code, or of a theme: any code below it")] = None,
    state: Annotated[
        Literal["coded", "other", "set_aside"] | None,
        Query(description="`other`: near no code; `set_aside`: says nothing that could be coded"),
    ] = None,
    confirmed: Annotated[bool | None, Query(description="Whether a person said what its codes are")] = None,
) -> dict[str, Any]:
    return {"code": code, "state": state, "confirmed": confirmed}


@router.get("/codeframe/{generation_id}/assignments", responses=_ERRORS)
async def list_assignments(
    generation_id: UUID,
    service: TheService,
    filters: Annotated[dict[str, Any], Depends(_filters)],
    cursor: Cursor,
    limit: Limit = 100,
) -> AssignmentsBody:
    """A page of the generation's answers with their codes, the best first, by the answers' ids."""
    found = await service.assigned.list(generation_id, **filters, after=cursor, limit=limit + 1)
    items = tuple(
        AssignmentBody(
            answer_id=each.answer_id,
            external_id=each.external_id,
            text=each.text,
            state=found.state(each),
            codes=tuple(
                AssignedCodeBody(number=node.number or 0, name=node.name, score=round(score, 4))
                for node, score in zip((found.nodes[key] for key in each.node_keys), each.scores, strict=True)
            ),
            confirmed=None if each.confirmed is None else tuple(each.confirmed),
        )
        for each in found.items[:limit]
    )
    more = len(found.items) > limit
    return AssignmentsBody(items=items, total=found.total, next_cursor=str(items[-1].answer_id) if more else None)


@router.patch("/answers/{answer_id}", responses=_ERRORS)
async def code_by_hand(answer_id: AnswerId, body: CodeByHandBody, service: TheService) -> CodedBody:
    """Say what an answer's codes are in a codeframe; the same as PUT …/answers/{answer_id}/codes there."""
    kept = await service.confirmations.keep(body.generation_id, {answer_id: body.codes})
    return CodedBody(answer_id=answer_id, generation_id=body.generation_id, confirmed=tuple(kept[answer_id]))
