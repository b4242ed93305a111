"""The whole service on real servers, in this process."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from holdfast.service import Service, open_service
from holdfast.settings import Settings
from holdfast.stub import StubProvider


@pytest.fixture
async def service(redis_url: str, database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    settings = Settings(redis_url_given=redis_url, database_url=database_url, home=tmp_path, reconcile_seconds=0.2)
    async with open_service(settings) as opened:
        yield opened


@pytest.fixture
async def paying(
    redis_url: str, database_url: str, provider: StubProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    for name, value in provider.environment().items():
        monkeypatch.setenv(name, value)
    settings = Settings(
        redis_url_given=redis_url,
        database_url=database_url,
        home=tmp_path,
        reconcile_seconds=0.2,
        call_seconds=3.0,
        max_month_usd=Decimal(100),
    )
    async with open_service(settings) as opened:
        yield opened
