"""Calls that nobody can answer for any more: their worker is gone, and no other attempt has asked about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.store.tables import calls

MOST = 1000  # of one look


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCall:
    """A call that was begun and has no end yet."""

    id: UUID
    worker: str  # the attempt's token: the worker's id, a colon, a number


async def open_calls(connection: AsyncConnection, *, older_than: timedelta) -> list[OpenCall]:
    """Intents begun that long ago, but for those in a batch, of which the provider can be asked; at most `MOST`."""
    begun = calls.c.created_at < func.clock_timestamp() - older_than
    wanted = and_(calls.c.state == "intent", calls.c.batch_id.is_(None), calls.c.worker.is_not(None), begun)
    query = select(calls.c.id, calls.c.worker).where(wanted).order_by(calls.c.created_at).limit(MOST)
    return [OpenCall(id=row.id, worker=row.worker) for row in await connection.execute(query)]


async def put_in_doubt(connection: AsyncConnection, call_ids: Sequence[UUID]) -> int:
    """Say that nobody knows how these calls ended, of how many that was news is returned; a late reply still counts."""
    change = update(calls).where(calls.c.id.in_(list(call_ids)), calls.c.state == "intent").values(state="in_doubt")
    return (await connection.execute(change)).rowcount
