"""Whatever goes wrong in a unit's work, the unit is given back or ends with a reason that quotes no answer."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from holdfast.errors import BudgetUsedUp, NotFound, Unrecoverable
from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service
from holdfast.service.enqueueing import ATTEMPTS
from holdfast.service.frames import Work
from holdfast.service.processors import Processors, UnitFailed
from holdfast.store import Connection
from holdfast.store.generations import Created
from holdfast.store.units import Done, OwedUnit

SECRET = "my neighbour's telephone number"


@dataclass
class TakenJob:
    """What a processor reads of a job."""

    data: dict[str, Any]
    attempts_made: int = 0
    token: str = "a1b2:1"
    id: str = "g-test"
    resumed: bool = False


class BrokenWork:
    """Every stage ends as the test says."""

    def __init__(self, error: Exception | None = None, *, write_fails: bool = False) -> None:
        self._error = error
        self._write_fails = write_fails

    async def prepare(self, unit: OwedUnit, worker: str) -> Work:
        if self._error is not None:
            raise self._error

        async def write(connection: Connection) -> None:
            json.loads(SECRET)

        return Work(done=Done(result={}), write=write if self._write_fails else None)

    whole = embed = cluster = batch = label = review = draft = code = assemble = prepare


class LateWork(BrokenWork):
    """Finds the old budget used up, but says so only once another unit's pause is over and there is a larger one."""

    def __init__(self, service: Service) -> None:
        super().__init__(BudgetUsedUp(cap="generation's budget", limit=Decimal(1), used=Decimal(1), wanted=Decimal(1)))
        self._service = service

    async def prepare(self, unit: OwedUnit, worker: str) -> Work:
        await self._service.steering.pause(unit.ref.generation_id)
        await self._service.steering.resume(unit.ref.generation_id, budget=Decimal(5))
        return await super().prepare(unit, worker)

    whole = embed = cluster = batch = label = review = draft = code = assemble = prepare


@pytest.fixture
async def made(service: Service) -> Created:
    category = await service.imports.add_category(name="spring")
    await service.imports.import_rows(category.id, [IncomingRow(text=f"answer {n}") for n in range(10)])
    request = GenerationRequest(category_id=category.id, config=GenerationConfig(n_clusters=2))
    return await service.generations.start(request)


def processors(service: Service, work: BrokenWork) -> Processors:
    return Processors(service.database, service.queue, work)  # type: ignore[arg-type]


def job_of(made: Created, **changed: Any) -> Any:
    return TakenJob(data={"unit": made.units[0].id, "generation": str(made.generation.id)}, **changed)


async def test_another_database_s_job_touches_no_unit_that_has_its_number(service: Service, made: Created) -> None:
    stranger = TakenJob(data={"unit": made.units[0].id, "generation": str(uuid4())})

    skipped = await processors(service, BrokenWork()).run(stranger)  # type: ignore[arg-type]
    done = await processors(service, BrokenWork()).run(job_of(made, token="a1b2:2"))

    assert skipped == {"unit": made.units[0].id, "skipped": "another database's"}
    assert done == {"unit": made.units[0].id}


@pytest.mark.parametrize("work", [BrokenWork(ValueError(SECRET)), BrokenWork(write_fails=True)])
async def test_a_unit_whose_work_or_commit_fails_is_free_for_the_next_attempt(
    service: Service, made: Created, work: BrokenWork
) -> None:
    with pytest.raises(UnitFailed):
        await processors(service, work).run(job_of(made))

    done = await processors(service, BrokenWork()).run(job_of(made, token="a1b2:2", attempts_made=1))

    assert done == {"unit": made.units[0].id}


@pytest.mark.parametrize("work", [BrokenWork(ValueError(SECRET)), BrokenWork(write_fails=True)])
async def test_the_last_attempt_ends_the_unit_with_a_reason_that_quotes_no_answer(
    service: Service, made: Created, work: BrokenWork
) -> None:
    with pytest.raises(UnitFailed) as caught:
        await processors(service, work).run(job_of(made, attempts_made=ATTEMPTS - 1))

    status = await service.generations.status(made.generation.id)
    assert status.status == "failed"
    assert status.error is not None
    assert SECRET not in str(status.error) + str(caught.value)
    assert "Error in " in status.error["message"]
    assert caught.value.__cause__ is None


async def test_what_no_retry_cures_fails_at_once(service: Service, made: Created) -> None:
    with pytest.raises(Unrecoverable, match="there is no answer 7"):
        await processors(service, BrokenWork(NotFound(kind="answer", id=7))).run(job_of(made))

    assert (await service.generations.status(made.generation.id)).status == "failed"


async def test_a_claim_that_its_own_worker_left_behind_is_taken_over(service: Service, made: Created) -> None:
    left = processors(service, BrokenWork())
    await left._claims.claim(made.units[0].id, worker="a1b2:1", taken_over=False)
    left._claims.ended(made.units[0].id)  # as when giving the unit back failed, too

    done = await left.run(job_of(made, token="a1b2:2"))

    assert done == {"unit": made.units[0].id}


async def test_a_budget_found_used_up_before_a_larger_one_was_given_pauses_nothing_after_it(
    service: Service, made: Created
) -> None:
    late = await processors(service, LateWork(service)).run(job_of(made))
    status = await service.generations.status(made.generation.id)
    done = await processors(service, BrokenWork()).run(job_of(made, token="a1b2:2"))

    assert late == {"unit": made.units[0].id, "skipped": "BudgetUsedUp"}
    assert (status.status, status.error) == ("processing", None)
    assert done == {"unit": made.units[0].id}
