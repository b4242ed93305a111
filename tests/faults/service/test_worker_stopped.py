"""A worker is asked to stop in the middle of its labels."""

import asyncio

from tests.faults.service.stack import Stack, check_invariants, generation_of, until

from holdfast.service import Service


async def test_a_stopped_worker_gives_its_jobs_back_and_another_finishes(stack: Stack, service: Service) -> None:
    generation_id = await generation_of(service, clusters=6)
    first = stack.start("worker", "--concurrency", "2", HOLDFAST_LABEL_PACE="0.5")
    await until(service, generation_id, lambda status: status.n_running >= 2)

    first.terminate()
    code = await asyncio.to_thread(first.wait, 30)
    stopped = await service.generations.status(generation_id)
    counts = await service.queue.counts()
    stack.start("worker")
    after = await until(service, generation_id, lambda status: status.ended)

    assert code == 0
    assert counts["active"] == 0
    assert 2 <= stopped.n_completed < 6  # those it had in its hands were finished
    assert after[-1].status == "completed"
    await check_invariants(service, generation_id)
