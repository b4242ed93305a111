"""Figures for Prometheus, at the root as it expects them. Who may read them: whoever may read the rest of the API."""

from fastapi import APIRouter, Response

from holdfast.api.dependencies import TheService
from holdfast.service import METRICS_TYPE

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
async def read_metrics(service: TheService) -> Response:
    """This process' counters, and what Redis and PostgreSQL hold; a server that is away is `holdfast_up 0`."""
    return Response(await service.scrapes.text(), media_type=METRICS_TYPE)
