"""Units that have ended, in the order in which they did: what an event stream tells, and tells again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.store.tables import units

MOST = 1000  # of one look


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the order of a generation's endings."""

    at: datetime
    unit_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedUnit:
    """One unit that is done or has failed."""

    id: int
    stage: str
    ordinal: int
    state: str  # done | failed
    name: str | None  # of the label, if it is one
    error: dict[str, Any] | None  # {code, message, attempt}
    finished_at: datetime

    @property
    def place(self) -> Place:
        return Place(self.finished_at, self.id)


async def ended_units(
    connection: AsyncConnection, generation_id: UUID, *, after: Place | None, limit: int = MOST
) -> list[EndedUnit]:
    """The units that ended after that place, the first one first, at most `limit`.

    Nothing can appear before what was seen: units of one generation end one at a time, under its row's lock, and take
    the time while they hold it.
    """
    columns = (units.c.id, units.c.stage, units.c.ordinal, units.c.state, units.c.error, units.c.finished_at)
    place = tuple_(units.c.finished_at, units.c.id)
    query = select(*columns, units.c.result["name"].astext.label("name")).where(
        units.c.generation_id == generation_id, units.c.state.in_(("done", "failed"))
    )
    if after is not None:
        query = query.where(place > (after.at, after.unit_id))
    rows = await connection.execute(query.order_by(units.c.finished_at, units.c.id).limit(limit))
    return [EndedUnit(**row._mapping) for row in rows]
