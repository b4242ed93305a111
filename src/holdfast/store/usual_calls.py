"""What nearly every call is, each in one statement: the first of its step, without a cap; and its first reply.

A statement that finds anything else changes nothing, and `calls` does it step by step.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.store.tables import calls, generations, units

NEW = ("id", "generation_id", "unit_id", "step", "fingerprint", "model", "credential", "reserved_usd", "worker")
KEPT = ("reply", "cost_usd", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")

# Built once: putting a statement together costs more than running it.
_NEW = {name: bindparam(f"new_{name}", type_=calls.c[name].type) for name in NEW}
_KEPT = {name: bindparam(f"new_{name}", type_=calls.c[name].type) for name in KEPT}
_OF_STEP = and_(*(calls.c[name] == _NEW[name] for name in ("generation_id", "step", "fingerprint")))
_LOCKED = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("key"), 0))).scalar_subquery()

_BEGIN = (
    insert(calls)
    .from_select(
        [*NEW, "state"],
        select(*_NEW.values(), bindparam("new_state", "intent")).where(
            generations.c.id == _NEW["generation_id"],
            generations.c.state == "active",
            generations.c.budget_usd.is_(None),
            ~exists().where(units.c.id == _NEW["unit_id"], units.c.worker != _NEW["worker"]),
            ~exists().where(_OF_STEP, or_(*(calls.c.state == known for known in ("intent", "in_doubt", "replied")))),
        ),
    )
    .on_conflict_do_nothing(index_elements=["id"])
    .returning(calls.c.id)
)

_SETTLE = (
    update(calls)
    .where(
        calls.c.id == _NEW["id"],
        _LOCKED.is_not(None),
        ~exists().where(_OF_STEP, calls.c.state == "replied").correlate(None),
    )
    .values({**_KEPT, "state": "replied", "settled_at": func.clock_timestamp()})
    .returning(calls.c.id)
)


async def begin(connection: AsyncConnection, new: Mapping[str, Any]) -> bool:
    """Write the intent of the first call of a step, in an active generation without a budget."""
    done = await connection.execute(_BEGIN, {f"new_{name}": new[name] for name in NEW})
    return done.first() is not None


async def settle(connection: AsyncConnection, step: Mapping[str, Any], kept: Mapping[str, Any], *, lock: str) -> bool:
    """Write the first reply of a step: `step` is the call's id, generation_id, step and fingerprint.

    Raises IntegrityError if another reply was committed while this one waited for the lock.
    """
    values = {**step, **dict.fromkeys(KEPT), **kept}
    done = await connection.execute(_SETTLE, {f"new_{name}": value for name, value in values.items()} | {"key": lock})
    return done.first() is not None
