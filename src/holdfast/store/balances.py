"""What was owed against what was done, counted over units and calls."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.store.tables import calls, generations, units


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One generation's units and the calls of its steps."""

    owed: int  # units
    done: int
    failed: int  # given up, with a reason
    steps: int  # steps that were called at least once
    done_twice: int  # steps with more than one recorded reply
    in_doubt: int  # calls whose worker died before their reply was recorded
    repeated: int  # of these, calls whose step was called again and has a reply now

    @property
    def lost(self) -> int:
        """Units that ended neither way."""
        return self.owed - self.done - self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class InHand:
    """A pending unit that a worker has started."""

    unit_id: int
    stage: str
    ordinal: int
    worker: str  # the token of the attempt; begins with the worker's id
    in_call: bool  # its call's intent is recorded, its reply is not


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAccount:
    """One unit, by which its job can be found."""

    id: int
    stage: str
    ordinal: int
    round: int
    state: str  # pending | done | failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the database says of one generation at one moment."""

    state: str  # active | paused | completed | partial | failed | cancelled
    units: tuple[UnitAccount, ...]


async def balance(connection: AsyncConnection, generation_id: UUID) -> Balance:
    """The generation's balance, read at one moment."""
    query = text(
        "WITH steps AS ("
        "  SELECT count(*) FILTER (WHERE state IN ('replied', 'superseded')) AS replies,"
        "         count(*) FILTER (WHERE state = 'in_doubt') AS doubts"
        "  FROM holdfast.calls WHERE generation_id = :id GROUP BY step, fingerprint),"
        " owing AS ("
        "  SELECT count(*) AS owed, count(*) FILTER (WHERE state = 'done') AS done,"
        "         count(*) FILTER (WHERE state = 'failed') AS failed"
        "  FROM holdfast.units WHERE generation_id = :id)"
        " SELECT owed, done, failed, count(steps.*) AS steps, count(*) FILTER (WHERE replies > 1) AS done_twice,"
        "        coalesce(sum(doubts), 0)::int AS in_doubt,"
        "        coalesce(sum(doubts) FILTER (WHERE replies > 0), 0)::int AS repeated"
        " FROM owing LEFT JOIN steps ON true GROUP BY owed, done, failed"
    )
    row = (await connection.execute(query, {"id": generation_id})).one()
    return Balance(**row._mapping)


async def in_hand(connection: AsyncConnection, generation_id: UUID) -> list[InHand]:
    """The pending units that a worker has started, also a worker that is gone, newest first."""
    wanted = and_(units.c.generation_id == generation_id, units.c.state == "pending", units.c.started_at.is_not(None))
    call = select(calls.c.id).where(calls.c.unit_id == units.c.id, calls.c.state == "intent")
    columns = [
        units.c.id.label("unit_id"),
        units.c.stage,
        units.c.ordinal,
        func.coalesce(units.c.worker, "").label("worker"),
        call.exists().label("in_call"),
    ]
    rows = await connection.execute(select(*columns).where(wanted).order_by(units.c.started_at.desc()))
    return [InHand(**row._mapping) for row in rows]


async def account(connection: AsyncConnection, generation_id: UUID) -> Account:
    """The generation's state and each unit's, read at one moment; without a unit it is unknown."""
    columns = [units.c[name] for name in UnitAccount.__slots__]
    mine = and_(units.c.generation_id == generation_id, generations.c.id == units.c.generation_id)
    rows = await connection.execute(select(*columns, generations.c.state.label("of")).where(mine).order_by(units.c.id))
    found = [dict(row._mapping) for row in rows]
    states = [row.pop("of") for row in found]
    return Account(state=states[0] if states else "unknown", units=tuple(UnitAccount(**row) for row in found))
