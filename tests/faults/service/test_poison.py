"""One label kills whoever works on it: it is given up with the reason, and the others go on."""

import asyncio

import pytest
from sqlalchemy import text
from tests.faults.service.paid import MODEL, Record, check_bill
from tests.faults.service.stack import Stack, generation_of, until

from holdfast.service import Service
from holdfast.stub import StubProvider

CRASHES = 4  # a job may lose its worker three times; the fourth gives it up
PATIENCE = 120.0  # seconds; processes take their time to start on a busy machine


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_a_label_that_kills_each_of_its_workers_is_given_up_with_the_reason_and_the_others_go_on(
    paying: StubProvider, stack: Stack, service: Service, record_property: Record
) -> None:
    paying.hold()
    generation_id = await generation_of(service, clusters=4, answers=60, model=MODEL)
    for crash in range(CRASHES):
        doomed = stack.start("worker", "--concurrency", "4")
        await paying.waiting(1 if crash else 4, within=PATIENCE)
        if not crash:
            paying.release(3)
            await until(service, generation_id, lambda status: status.n_completed == 3, within=PATIENCE)
        doomed.kill()
        await asyncio.to_thread(doomed.wait)
        await let_go(paying)

    stack.start("worker")
    ended = (await until(service, generation_id, lambda status: status.ended, within=PATIENCE))[-1]

    assert (ended.status, ended.n_completed, ended.n_failed) == ("partial", 3, 1)
    sql = "SELECT error FROM holdfast.units WHERE generation_id = :id AND state = 'failed'"
    rows = await service.database.run(lambda c: c.execute(text(sql), {"id": generation_id}))
    [error] = [row.error for row in rows]
    assert (error["code"], "stalled" in error["message"]) == ("job_failed", True)
    assert list(paying.bill().paid_twice.values()) == [CRASHES]
    await until(service, generation_id, lambda status: status.ledger.n_in_doubt == CRASHES)  # nobody asks for the last
    await check_bill(service, paying, generation_id, twice=CRASHES - 1, doubts=CRASHES)
    record_property("billed_twice", CRASHES - 1)


async def let_go(provider: StubProvider) -> None:
    """Wait until the provider has noticed that nobody waits for the held call any more."""
    async with asyncio.timeout(30):
        while provider.state()["held"]:
            await asyncio.sleep(0.05)  # how often it is looked for
