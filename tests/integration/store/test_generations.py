"""A generation is made once, and its units end once."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from sqlalchemy import text

from holdfast.errors import BadInput, Conflict, NotFound
from holdfast.store import Connection, Database, generations, steering, units
from holdfast.store.generations import Created
from holdfast.store.units import Done, Ended, GivenUp, NewUnit, Plan, StageEnd

Imported = Callable[..., Awaitable[int]]
Make = Callable[..., Awaitable[Created]]


def two_stages(end: StageEnd) -> Plan:
    """Stage one is followed by one unit of stage two, which ends the generation."""
    if end.stage == "one":
        return [NewUnit(stage="two", ordinal=0)]
    return Ended(state="partial" if end.failed else "completed", result={"n": 1})


async def test_a_double_click_makes_one_generation(database: Database, imported: Imported, created: Make) -> None:
    category_id = await imported(["a", "b", "c"])

    made = await asyncio.gather(*(created(category_id) for _ in range(8)))

    assert len({one.generation.id for one in made}) == 1
    assert sum(one.new for one in made) == 1
    assert len(await database.run(units.owed)) == 2


async def test_another_config_is_another_generation(imported: Imported, created: Make) -> None:
    category_id = await imported(["a", "b", "c"])

    one, two = await created(category_id), await created(category_id, config={"seed": 1})

    assert one.generation.id != two.generation.id


async def test_an_idempotency_key_finds_its_generation_after_it_ended(
    database: Database, imported: Imported, created: Make
) -> None:
    category_id = await imported(["a", "b", "c"])
    first = await created(category_id, idempotency_key="k")
    await database.run(lambda c: steering.cancel(c, first.generation.id))

    again = await created(category_id, idempotency_key="k")

    assert again.generation.id == first.generation.id
    assert not again.new


async def test_an_idempotency_key_finds_its_generation_also_when_answers_were_added(
    imported: Imported, created: Make, database: Database
) -> None:
    category_id = await imported(["a", "b", "c"])
    first = await created(category_id, idempotency_key="k")
    copied = "INSERT INTO holdfast.answers (category_id, import_id, position, text, digest, columns)"
    query = text(f"{copied} SELECT category_id, import_id, 9, 'd', digest, columns FROM holdfast.answers LIMIT 1")
    await database.run(lambda c: c.execute(query), repeat=False)

    again = await created(category_id, idempotency_key="k")

    assert again.generation.id == first.generation.id


async def test_an_idempotency_key_of_another_request_is_refused(imported: Imported, created: Make) -> None:
    category_id = await imported(["a", "b", "c"])
    await created(category_id, idempotency_key="k")

    with pytest.raises(Conflict, match="Idempotency-Key"):
        await created(category_id, idempotency_key="k", config={"seed": 9})


async def test_examples_are_kept_beside_what_every_unit_reads(
    database: Database, imported: Imported, created: Make
) -> None:
    category_id = await imported(["a", "b", "c"])
    taught = {"seed": 0, "examples": [["Kind nurses", ["Staff"]], ["Cold food", []]]}
    keyed = {"config": taught, "idempotency_key": "k"}

    made, again = await created(category_id, **keyed), await created(category_id, **keyed)
    other = await created(category_id, config=taught | {"examples": taught["examples"][:1]})

    unit = await database.run(lambda c: units.start(c, made.units[0].id, worker="w"))
    assert isinstance(unit, units.OwedUnit)
    assert unit.config == made.generation.config
    assert (unit.config["examples"], again.generation.id) == ([], made.generation.id)
    assert other.generation.id != made.generation.id
    assert other.generation.config["examples_digest"] != unit.config["examples_digest"]
    assert await database.run(lambda c: generations.examples(c, made.generation.id)) == taught["examples"]


async def test_examples_of_an_old_generation_are_read_from_its_config(
    database: Database, imported: Imported, created: Make
) -> None:
    made = await created(await imported(["a", "b", "c"]))
    inside = """UPDATE holdfast.generations SET config = config || '{"examples": [["Cold food", ["Food"]]]}'"""
    await database.run(lambda c: c.execute(text(inside)))

    found = await database.run(lambda c: generations.examples(c, made.generation.id))

    assert found == [["Cold food", ["Food"]]]


async def test_too_few_or_unknown_answers_and_categories_are_refused(imported: Imported, created: Make) -> None:
    category_id = await imported(["a", "b", "c"])

    with pytest.raises(BadInput, match="3 answers are too few"):
        await created(category_id, at_least=10)
    with pytest.raises(BadInput, match="no answers with these ids: 99999"):
        await created(category_id, answer_ids=[99999])
    with pytest.raises(NotFound, match="category 77"):
        await created(77)


async def test_answers_without_text_do_not_count_as_answers(imported: Imported, created: Make) -> None:
    nine = [f"answer {n}" for n in range(9)]
    category_id = await imported([*nine, "", " \n\t"])

    with pytest.raises(BadInput, match=r"9 answers \(2 more are empty\) are too few .* at least 10"):
        await created(category_id, at_least=10)

    made = await created(await imported([*nine, "the tenth", ""]), at_least=10)
    assert made.generation.n_answers == 11  # the empty one is coded like the others


async def test_the_pace_of_a_stage_is_that_of_the_last_attempts_of_its_done_units(
    database: Database, imported: Imported, created: Make
) -> None:
    made = await created(await imported(["a", "b", "c"]))
    for ref in made.units:
        await database.run(lambda c, r=ref: units.start(c, r.id, worker="w"))
    none_done = await database.run(lambda c: generations.snapshot(c, made.generation.id))
    await database.run(lambda c: units.finish(c, made.units[0], Done(), plan=two_stages))
    backdated = text("UPDATE holdfast.units SET started_at = finished_at - interval '2.5 s' WHERE state = 'done'")
    await database.run(lambda c: c.execute(backdated))

    one_done = await database.run(lambda c: generations.snapshot(c, made.generation.id))

    assert none_done.stages["one"].seconds is None
    assert one_done.stages["one"].seconds == pytest.approx(2.5)
    assert one_done.stages["one"].started == 1


async def test_the_last_unit_of_a_stage_commits_the_next_stage_once(
    database: Database, imported: Imported, created: Make
) -> None:
    made = await created(await imported(["a", "b", "c"]))

    async def finish(unit_id: int) -> list[units.UnitRef] | None:
        ref = next(unit for unit in made.units if unit.id == unit_id)
        return await database.run(lambda c: units.finish(c, ref, Done(output=b"x"), plan=two_stages))

    ends = await asyncio.gather(*(finish(unit.id) for unit in made.units for _ in range(4)))

    following = [ref for end in ends if end for ref in end]
    assert [(ref.stage, ref.ordinal) for ref in following] == [("two", 0)]
    assert sum(end is None for end in ends) == 6
    snapshot = await database.run(lambda c: generations.snapshot(c, made.generation.id))
    assert {name: (s.done, s.pending) for name, s in snapshot.stages.items()} == {"one": (2, 0), "two": (0, 1)}


async def test_a_generation_with_a_failed_unit_ends_partial(
    database: Database, imported: Imported, created: Make
) -> None:
    made = await created(await imported(["a", "b", "c"]))
    failed = GivenUp(code="x", message="no \0 \ud800", attempt=3)  # a provider's words may be any

    await database.run(lambda c: units.finish(c, made.units[0], failed, plan=two_stages))
    following = await database.run(lambda c: units.finish(c, made.units[1], Done(), plan=two_stages))
    assert following is not None
    await database.run(lambda c: units.finish(c, following[0], Done(), plan=two_stages))

    ended = await database.run(lambda c: generations.get(c, made.generation.id))
    assert (ended.state, ended.result) == ("partial", {"n": 1})
    assert ended.finished_at is not None


async def test_a_cancelled_generation_owes_nothing_and_goes_no_further(
    database: Database, imported: Imported, created: Make
) -> None:
    made = await created(await imported(["a", "b", "c"]))
    started = await database.run(lambda c: units.start(c, made.units[0].id, worker="w"))
    assert started is not None

    await database.run(lambda c: steering.cancel(c, made.generation.id))

    assert await database.run(units.owed) == []
    assert await database.run(lambda c: units.start(c, made.units[1].id, worker="w")) is None
    written: list[int] = []

    async def write(connection: Connection) -> None:
        written.append(1)

    ends = [
        await database.run(lambda c, r=ref: units.finish(c, r, Done(), plan=two_stages, write=write))
        for ref in made.units
    ]
    assert (ends, written) == ([[], []], [])
    assert (await database.run(lambda c: generations.get(c, made.generation.id))).state == "cancelled"


async def test_cancelling_twice_is_the_same_as_once(database: Database, imported: Imported, created: Make) -> None:
    made = await created(await imported(["a", "b"]))

    for _ in range(2):
        await database.run(lambda c: steering.cancel(c, made.generation.id))

    assert (await database.run(lambda c: generations.get(c, made.generation.id))).state == "cancelled"


async def test_a_generation_that_ended_or_never_was_cannot_be_cancelled(
    database: Database, imported: Imported, created: Make
) -> None:
    made = await created(await imported(["a", "b"]))
    for ref in made.units:
        await database.run(lambda c, r=ref: units.finish(c, r, Done(), plan=lambda _: Ended(state="failed")))

    with pytest.raises(Conflict, match="it is failed"):
        await database.run(lambda c: steering.cancel(c, made.generation.id))
    with pytest.raises(NotFound):
        await database.run(lambda c: steering.cancel(c, uuid4()))


async def test_a_unit_owed_again_gets_a_new_round_once(database: Database, imported: Imported, created: Make) -> None:
    made = await created(await imported(["a", "b"]))

    twice = await asyncio.gather(*(database.run(lambda c: units.next_round(c, made.units)) for _ in range(3)))

    assert sorted(ref.round for one in twice for ref in one) == [1, 1]
