"""Units: what is owed. A unit ends once; the transaction that ends a stage's last one commits the next stage's."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.store.any_text import kept_text
from holdfast.store.tables import calls, generations, units


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUnit:
    """A unit to be owed."""

    stage: str
    ordinal: int
    input: dict[str, Any] = field(default_factory=dict)
    round: int = 0  # above that of any unit of this place before, so that its job is a new one


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRef:
    """Enough of a unit to name its job."""

    id: int
    generation_id: UUID
    stage: str
    ordinal: int
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedUnit:
    """A unit that a worker has started, and its generation's settings."""

    ref: UnitRef
    input: dict[str, Any]
    config: dict[str, Any]
    category_id: int
    retries: int  # times a person asked for it again
    resumes: int  # times its generation had been resumed when this attempt began


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """The unit is recorded as being worked on by another attempt, which may be alive."""

    worker: str  # that attempt's token


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The unit's work, to be committed."""

    output: bytes | None = None
    result: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """The unit failed for good."""

    code: str
    message: str
    attempt: int | None = None


UnitEnd: TypeAlias = Done | GivenUp


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEnd:
    """A stage whose last unit has just ended."""

    stage: str
    done: dict[str, int]  # by stage, over the whole generation
    failed: dict[str, int]
    end: UnitEnd  # of the last unit
    config: dict[str, Any]
    retries: int = 0  # at least as many as times a person asked for failed units again; never less than any round


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """There is no next stage: the generation's final state."""

    state: str  # completed | partial | failed
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


Plan: TypeAlias = Sequence[NewUnit] | Ended
Write: TypeAlias = Callable[[AsyncConnection], Awaitable[None]]

# By the key that is unique: one look-up in its index each.
_UNKNOWN = f"""
SELECT count(*) FROM unnest(CAST(:generation_ids AS uuid[]), CAST(:stages AS text[]), CAST(:ordinals AS int[]))
    AS asked(generation_id, stage, ordinal)
WHERE NOT EXISTS (
    SELECT FROM {units.fullname} AS known
    WHERE known.generation_id = asked.generation_id AND known.stage = asked.stage AND known.ordinal = asked.ordinal
)
"""
_REF = [units.c[name] for name in UnitRef.__slots__]


async def add_units(connection: AsyncConnection, generation_id: UUID, new: Iterable[NewUnit]) -> list[UnitRef]:
    """Owe these units."""
    rows = [
        {"generation_id": generation_id, **{name: getattr(unit, name) for name in NewUnit.__slots__}} for unit in new
    ]
    if not rows:
        return []
    found = await connection.execute(insert(units).returning(*_REF, sort_by_parameter_order=True), rows)
    return [UnitRef(**row._mapping) for row in found]


def _owed(unit_id: Any) -> Any:
    active = and_(generations.c.id == units.c.generation_id, generations.c.state == "active")
    return and_(units.c.id == unit_id, units.c.state == "pending", units.c.held.is_(None), active)


# Built once: putting a statement together costs more than running it.
_START = (
    update(units)
    .where(_owed(bindparam("unit_id")))
    .where(or_(units.c.worker.is_(None), units.c.worker == bindparam("by"), units.c.worker == bindparam("instead_of")))
    .values(worker=bindparam("by"), started_at=func.now())
    .returning(
        *_REF,
        *(units.c[name] for name in ("input", "retries")),
        *(generations.c[name] for name in ("config", "category_id", "started_at", "resumes")),
    )
)


async def start(
    connection: AsyncConnection, unit_id: int, *, worker: str, instead_of: str | None = None
) -> OwedUnit | Busy | None:
    """Record that the attempt `worker` works on the unit.

    None: it is not owed (any more): done, failed, held, cancelled, paused or gone. Busy: another attempt is recorded;
    say with `instead_of` that it is dead to take its place.
    """
    names = {"unit_id": unit_id, "by": worker, "instead_of": instead_of or worker}
    row = (await connection.execute(_START, names)).first()
    if row is None:
        held = (await connection.execute(select(units.c.worker).where(_owed(unit_id)))).scalar_one_or_none()
        return None if held is None else Busy(worker=held)
    fields = dict(row._mapping)
    if fields.pop("started_at") is None:
        first = and_(generations.c.id == row.generation_id, generations.c.started_at.is_(None))
        await connection.execute(update(generations).where(first).values(started_at=func.now()))
    rest = {name: fields.pop(name) for name in ("input", "config", "category_id", "retries", "resumes")}
    return OwedUnit(ref=UnitRef(**fields), **rest)


async def release(connection: AsyncConnection, unit_id: int, *, worker: str) -> None:
    """The attempt ended without the unit: another may start it at once."""
    mine = and_(units.c.id == unit_id, units.c.worker == worker, units.c.state == "pending")
    await connection.execute(update(units).where(mine).values(worker=None))


async def hold(connection: AsyncConnection, unit_id: int, *, call_id: UUID) -> None:
    """Nobody works on the unit until a person has said what became of the call."""
    pending = and_(units.c.id == unit_id, units.c.state == "pending")
    await connection.execute(update(units).where(pending).values(held=call_id, worker=None))


async def settled_holds(connection: AsyncConnection, generation_id: UUID, *, release: bool) -> list[UnitRef]:
    """The units whose held call is in doubt no more; with `release` they are owed again."""
    doubtful = select(calls.c.id).where(calls.c.id == units.c.held, calls.c.state == "in_doubt").exists()
    free = and_(units.c.generation_id == generation_id, units.c.held.is_not(None), ~doubtful)
    query = update(units).where(free).values(held=None).returning(*_REF) if release else select(*_REF).where(free)
    return [UnitRef(**row._mapping) for row in await connection.execute(query)]


async def finish(
    connection: AsyncConnection,
    ref: UnitRef,
    end: UnitEnd,
    *,
    plan: Callable[[StageEnd], Plan],
    write: Write | None = None,
) -> list[UnitRef] | None:
    """End the unit and, if it was its stage's last, commit what `plan` says comes next; the new units are returned.

    `write` stores more in the same transaction. None: the unit had ended already and nothing was changed.
    """
    locked = select(generations.c.state, generations.c.config).where(generations.c.id == ref.generation_id)
    generation = (await connection.execute(locked.with_for_update(key_share=True))).first()
    if generation is None or not await _end(connection, ref, end):
        return None
    if generation.state not in {"active", "paused"}:
        return []
    if write is not None:
        await write(connection)
    counted = await _counts(connection, ref)
    if counted.pending:
        return []
    match plan(counted.of(ref.stage, end, generation.config)):
        case Ended() as ended:
            await _end_generation(connection, ref.generation_id, ended)
            return []
        case new:
            return await add_units(connection, ref.generation_id, new)


async def finish_one_of_many(connection: AsyncConnection, ref: UnitRef, end: UnitEnd) -> bool:
    """End the unit while another one of its stage is still to end, in one statement. False: nothing was changed.

    What `finish` promises holds: the other one cannot end before this is committed, and then sees that it is done.
    """
    place = {"generation_id": ref.generation_id, "unit_id": ref.id, "stage": ref.stage}
    done = await connection.execute(_FINISH, place | _change(end))
    return done.first() is not None


async def outputs(
    connection: AsyncConnection, generation_id: UUID, stage: str, *, after: int = -1, limit: int | None = None
) -> dict[int, bytes]:
    """The outputs of a stage's done units with an ordinal above `after`, by ordinal."""
    wanted = and_(units.c.generation_id == generation_id, units.c.stage == stage, units.c.state == "done")
    query = select(units.c.ordinal, units.c.output).where(wanted, units.c.ordinal > after)
    rows = await connection.execute(query.order_by(units.c.ordinal).limit(limit))
    return {row.ordinal: row.output for row in rows}


async def output(connection: AsyncConnection, *, generation_id: UUID, stage: str, ordinal: int) -> bytes | None:
    """The output of one done unit; None if there is none."""
    place = (units.c.generation_id == generation_id, units.c.stage == stage, units.c.ordinal == ordinal)
    found = await connection.execute(select(units.c.output).where(*place, units.c.state == "done"))
    return found.scalar_one_or_none()


async def results(connection: AsyncConnection, generation_id: UUID, stage: str) -> dict[int, dict[str, Any]]:
    """The results of a stage's done units, by ordinal."""
    wanted = and_(units.c.generation_id == generation_id, units.c.stage == stage, units.c.state == "done")
    rows = await connection.execute(select(units.c.ordinal, units.c.result).where(wanted).order_by(units.c.ordinal))
    return {row.ordinal: row.result for row in rows}


async def owed(
    connection: AsyncConnection, *, after: int = 0, limit: int = 1000, generation_id: UUID | None = None
) -> list[UnitRef]:
    """Pending units of active generations (or of one) that nothing holds, with an id above `after`, by their ids."""
    active = and_(generations.c.id == units.c.generation_id, generations.c.state == "active")
    wanted = and_(units.c.state == "pending", units.c.held.is_(None), units.c.id > after, active)
    if generation_id is not None:
        wanted = and_(wanted, units.c.generation_id == generation_id)
    rows = await connection.execute(select(*_REF).where(wanted).order_by(units.c.id).limit(limit))
    return [UnitRef(**row._mapping) for row in rows]


async def unknown(connection: AsyncConnection, places: Sequence[tuple[UUID, str, int]]) -> int:
    """How many of these (generation, stage, ordinal) are no unit's, whatever state it is in."""
    if not places:
        return 0
    generation_ids, stages, ordinals = (list(each) for each in zip(*places, strict=True))
    asked = {"generation_ids": generation_ids, "stages": stages, "ordinals": ordinals}
    return int((await connection.execute(text(_UNKNOWN), asked)).scalar_one())


async def started(connection: AsyncConnection, generation_id: UUID, stage: str) -> list[UnitRef]:
    """The pending units of a stage that a worker has taken at least once."""
    wanted = and_(units.c.generation_id == generation_id, units.c.stage == stage, units.c.state == "pending")
    rows = await connection.execute(select(*_REF).where(wanted, units.c.started_at.is_not(None)).limit(1000))
    return [UnitRef(**row._mapping) for row in rows]


async def next_round(connection: AsyncConnection, refs: Sequence[UnitRef]) -> list[UnitRef]:
    """Give still pending units a new job id, because the job they had has ended without them."""
    found = []
    for ref in refs:
        same = and_(units.c.id == ref.id, units.c.round == ref.round, units.c.state == "pending")
        query = update(units).where(same).values(round=units.c.round + 1).returning(*_REF)
        found += [UnitRef(**row._mapping) for row in await connection.execute(query)]
    return found


def _change(end: UnitEnd) -> dict[str, Any]:
    match end:
        case Done(output=output, result=result):
            return {"state": "done", "output": output, "result": result, "error": None}
        case GivenUp(code=code, message=message, attempt=attempt):
            error = {"code": code, "message": kept_text(message), "attempt": attempt}
            return {"state": "failed", "output": None, "result": None, "error": error}


# The generation is locked first, as by `finish`: its units end one after the other, and `finished_at` is the order of
# their commits, on which the replay of events stands. What comes next needs what came before it: that fixes the order.
# The other unit is locked too, in its newest version: it is pending now, not only when this statement began to wait.
_FINISH = text(
    "WITH generation AS MATERIALIZED ("
    "  SELECT id FROM holdfast.generations"
    "  WHERE id = :generation_id AND state IN ('active', 'paused') FOR NO KEY UPDATE),"
    " other AS MATERIALIZED ("
    "  SELECT another.id FROM generation CROSS JOIN LATERAL ("
    "    SELECT id FROM holdfast.units"
    "    WHERE generation_id = generation.id AND stage = :stage AND state = 'pending' AND id <> :unit_id"
    "    ORDER BY ordinal DESC LIMIT 1 FOR SHARE SKIP LOCKED) AS another)"
    " UPDATE holdfast.units AS ended"
    " SET state = :state, output = :output, result = :result, error = :error, finished_at = clock_timestamp()"
    " FROM other WHERE ended.id = :unit_id AND ended.state = 'pending' RETURNING ended.id"
).bindparams(
    bindparam("generation_id", type_=Uuid()),
    *(bindparam(name, type_=units.c[name].type) for name in ("stage", "state", "output", "result", "error")),
)


@dataclass(frozen=True, slots=True)
class _Counts:
    done: dict[str, int]
    failed: dict[str, int]
    pending: int
    retries: int

    def of(self, stage: str, end: UnitEnd, config: dict[str, Any]) -> StageEnd:
        return StageEnd(stage=stage, done=self.done, failed=self.failed, retries=self.retries, end=end, config=config)


async def _counts(connection: AsyncConnection, ref: UnitRef) -> _Counts:
    columns = [
        units.c.stage,
        units.c.state,
        func.count().label("n"),
        func.max(func.greatest(units.c.retries, units.c.round)).label("retries"),
    ]
    query = select(*columns).where(units.c.generation_id == ref.generation_id)
    rows = (await connection.execute(query.group_by(units.c.stage, units.c.state))).all()
    return _Counts(
        done={row.stage: row.n for row in rows if row.state == "done"},
        failed={row.stage: row.n for row in rows if row.state == "failed"},
        pending=sum(row.n for row in rows if row.state == "pending"),
        retries=max((row.retries for row in rows), default=0),
    )


async def _end(connection: AsyncConnection, ref: UnitRef, end: UnitEnd) -> bool:
    pending = and_(units.c.id == ref.id, units.c.state == "pending")
    change = _change(end) | {"finished_at": func.clock_timestamp()}
    done = await connection.execute(update(units).where(pending).values(change))
    return bool(done.rowcount)


async def _end_generation(connection: AsyncConnection, generation_id: UUID, ended: Ended) -> None:
    change = {"state": ended.state, "result": ended.result, "error": ended.error, "finished_at": text("now()")}
    await connection.execute(update(generations).where(generations.c.id == generation_id).values(change))
