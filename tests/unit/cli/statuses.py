"""Statuses made up for tests."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from holdfast.service import Status
from holdfast.store.ledgers import Ledger

LEDGER = Ledger(n_calls=9, spent=Decimal("1.5"), reserved=Decimal(0), in_doubt=Decimal(0), n_in_doubt=0, n_repeated=0)

LABELLING = Status(
    generation_id=UUID(int=7),
    category_id=1,
    status="processing",
    phase="label",
    progress=66,
    n_answers=1000,
    n_clusters=22,
    n_completed=9,
    n_failed=0,
    n_pending=13,
    n_running=2,
    ledger=LEDGER,
    eta_seconds=12.4,
    processing_time_ms=4000,
    mece_score=None,
    error=None,
    budget=None,
    estimate=None,
    result=None,
    created_at=datetime(2026, 11, 24, tzinfo=UTC),
)


def status(**changes: Any) -> Status:
    """A generation in the middle of its labels, changed so."""
    return replace(LABELLING, **changes)
