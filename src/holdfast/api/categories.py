"""Categories: one open-ended question each."""

from fastapi import APIRouter, Response

from holdfast.api.bodies import problem_responses
from holdfast.api.bodies_categories import CategoriesBody, CategoryBody, NewCategoryBody
from holdfast.api.dependencies import CategoryId, Cursor, Limit, TheService

router = APIRouter(prefix="/categories", tags=["categories and answers"])


@router.post("", status_code=201, responses=problem_responses(413, 415, 422))
async def add_category(body: NewCategoryBody, service: TheService, response: Response) -> CategoryBody:
    """A new category without answers."""
    category = await service.imports.add_category(name=body.name, question=body.question)
    response.headers["Location"] = f"/api/v1/categories/{category.id}"
    return CategoryBody.model_validate(category, from_attributes=True)


@router.get("", responses=problem_responses(422))
async def list_categories(service: TheService, cursor: Cursor, limit: Limit = 100) -> CategoriesBody:
    """A page of categories, oldest first."""
    found, total = await service.imports.categories(after=cursor, limit=limit + 1)
    items = tuple(CategoryBody.model_validate(category, from_attributes=True) for category in found[:limit])
    return CategoriesBody(items=items, total=total, next_cursor=str(items[-1].id) if len(found) > limit else None)


@router.get("/{category_id}", responses=problem_responses(404, 422))
async def get_category(category_id: CategoryId, service: TheService) -> CategoryBody:
    """One category, with how many answers it has."""
    return CategoryBody.model_validate(await service.imports.category(category_id), from_attributes=True)
