"""The whole service on real servers, in this process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from holdfast.service import Service, open_service
from holdfast.settings import Settings


@pytest.fixture
async def service(redis_url: str, database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    settings = Settings(redis_url_given=redis_url, database_url=database_url, home=tmp_path, reconcile_seconds=0.2)
    async with open_service(settings) as opened:
        yield opened
