"""What Redis may not hold, and what it must."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest

from holdfast.drill.looks import Plain, Seen, differences, job_id
from holdfast.service import Account, UnitAccount

GENERATION = UUID(int=7)
DONE = UnitAccount(id=1, stage="prepare", ordinal=0, round=0, state="done")
OWED = UnitAccount(id=2, stage="label", ordinal=3, round=0, state="pending")
FAILED = UnitAccount(id=3, stage="label", ordinal=4, round=0, state="failed")
STATES = ("wait", "active", "paused", "completed", "failed", "delayed")


def hash_of(unit: UnitAccount, **changes: str) -> dict[str, str]:
    data = {"unit": unit.id, "generation": str(GENERATION), "ordinal": unit.ordinal, "round": unit.round}
    ended = {"finishedOn": "1795513896471", "returnvalue": "{}", "failedReason": "why"}
    whole = {
        "name": unit.stage,
        "data": orjson.dumps(data).decode(),
        "opts": '{"attempts":3}',
        "timestamp": "1795513896471",
    }
    return whole | (ended if unit.state != "pending" else {}) | changes


def plain(**where: list[UnitAccount]) -> Plain:
    ids = {state: tuple(job_id(GENERATION, unit) for unit in where.get(state, [])) for state in STATES}
    units = [unit for some in where.values() for unit in some]
    return Plain(
        counts={state: len(some) for state, some in ids.items()},
        ids=ids,
        hashes={job_id(GENERATION, unit): hash_of(unit) for unit in units},
    )


def seen(found: Plain, *units: UnitAccount, **changes: Any) -> Seen:
    whole = Seen(
        plain=found,
        ours=found.counts,
        told=found.counts,
        account=Account(state="active", units=units or (DONE, OWED, FAILED)),
        generation_id=GENERATION,
    )
    return replace(whole, **changes)


WHOLE = plain(completed=[DONE], wait=[OWED], failed=[FAILED])


def torn(unit: UnitAccount, **changes: str) -> Plain:
    return replace(WHOLE, hashes={**WHOLE.hashes, job_id(GENERATION, unit): hash_of(unit, **changes)})


def without(unit: UnitAccount, fields: Mapping[str, str]) -> Plain:
    return replace(WHOLE, hashes={**WHOLE.hashes, job_id(GENERATION, unit): fields})


def test_jobs_where_the_database_has_their_units_differ_in_nothing() -> None:
    assert differences(seen(WHOLE)) == []
    assert differences(seen(WHOLE, told=None)) == []
    for state in ("active", "delayed", "paused"):
        assert differences(seen(plain(completed=[DONE], failed=[FAILED], **{state: [OWED]}))) == []


def test_a_job_in_the_wrong_list_in_two_or_in_none_is_told() -> None:
    done_waits = plain(wait=[DONE, OWED], failed=[FAILED])
    twice = plain(completed=[DONE], wait=[OWED], active=[OWED], failed=[FAILED])
    nowhere = replace(WHOLE, ids={**WHOLE.ids, "wait": ()}, counts={**WHOLE.counts, "wait": 0})

    assert differences(seen(done_waits)) == ["prepare/0 is done in the database, its job is in wait"]
    assert differences(seen(twice)) == ["label/3 is pending in the database, its job is in wait and active"]
    assert differences(seen(nowhere)) == ["label/3 is pending in the database, its job is in no list"]


def test_what_a_dead_worker_had_done_may_still_be_active() -> None:
    cut_off = plain(active=[DONE], wait=[OWED], failed=[FAILED])

    assert differences(seen(cut_off, cut_off=True)) == []
    assert differences(seen(cut_off)) == ["prepare/0 is done in the database, its job is in active"]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (torn(OWED, name="embed"), "label/3: its job's name is embed"),
        (torn(OWED, data='{"unit":9}'), 'label/3: its job\'s data are {"unit":9}'),
        (torn(OWED, data="{"), "label/3: its job's data are {"),
        (torn(OWED, opts="{}"), "label/3: its job's opts allow None attempts, not 3"),
        (torn(OWED, timestamp=""), "label/3: its job's timestamp is "),
        (
            replace(WHOLE, hashes={k: v for k, v in WHOLE.hashes.items() if "label-3" not in k}),
            "label/3: its job has no hash",
        ),
    ],
)
def test_a_hash_that_is_not_whole_is_told(found: Plain, said: str) -> None:
    assert differences(seen(found)) == [said]


@pytest.mark.parametrize(("unit", "field"), [(DONE, "returnvalue"), (DONE, "finishedOn"), (FAILED, "failedReason")])
def test_a_job_that_ended_without_saying_how_is_told(unit: UnitAccount, field: str) -> None:
    found = without(unit, {name: value for name, value in hash_of(unit).items() if name != field})

    assert differences(seen(found)) == [f"{unit.stage}/{unit.ordinal}: its job's {field} is missing"]


def test_counts_that_are_not_the_same_for_all_are_told() -> None:
    fewer = {**WHOLE.counts, "completed": 0}

    assert differences(seen(WHOLE, ours=fewer)) == ["completed: 1 by plain commands, 0 by Queue.counts"]
    assert differences(seen(WHOLE, told=fewer)) == ["completed: 1 by plain commands, 0 by GET /queue"]


def test_a_job_of_no_unit_is_told_but_not_one_of_an_earlier_round() -> None:
    again = replace(FAILED, round=1, state="pending")
    retried = plain(completed=[DONE], wait=[OWED, again], failed=[FAILED])

    assert differences(seen(retried, DONE, OWED, again)) == []
    assert differences(seen(WHOLE, DONE, OWED)) == [f"job g-{GENERATION}-label-4 belongs to no unit"]
