"""A worker is SIGKILLed at each named point; another one goes on where it was."""

from time import monotonic

import pytest
from tests.faults.service.stack import Stack, check_invariants, died, generation_of, until

from holdfast.service import Service

# Where it dies, calls whose outcome nobody can know (begun, and no reply is on disk). The long ones die at the same
# points while labels are paid for, in every run of the tests (test_paid_calls).
POINTS = [
    ("job taken", 0),
    ("intent stored", 1),
    pytest.param("call returned", 1, marks=pytest.mark.long),
    pytest.param("reply stored", 0, marks=pytest.mark.long),
    pytest.param("unit computed", 0, marks=pytest.mark.long),
    ("unit done", 0),
]


@pytest.mark.parametrize(("point", "doubts"), POINTS)
async def test_what_a_killed_worker_had_done_is_not_done_again(
    stack: Stack, service: Service, point: str, doubts: int
) -> None:
    in_labels = 2 if point in {"intent stored", "call returned", "reply stored"} else 5
    generation_id = await generation_of(service)
    doomed = stack.start("worker", "--concurrency", "1", HOLDFAST_FAULT=f"{point}:{in_labels}")

    await died(doomed)
    stack.start("worker")
    seen = await until(service, generation_id, lambda status: status.ended)

    assert seen[-1].status == "completed"
    assert [s.progress for s in seen] == sorted(s.progress for s in seen)
    await check_invariants(service, generation_id, doubts=doubts)


async def test_another_worker_takes_over_within_five_seconds(stack: Stack, service: Service) -> None:
    generation_id = await generation_of(service)
    doomed = stack.start("worker", HOLDFAST_LABEL_PACE="60")
    await until(service, generation_id, lambda status: status.n_running > 0)
    other = stack.start("worker")
    await until(service, generation_id, lambda status: "resuming pending jobs" in stack.log_of(other))

    killed = monotonic()
    doomed.kill()
    await until(service, generation_id, lambda status: status.n_completed > 0, within=10)

    # Resumed within 5 s (durability.md), and a label made; the rest is for a machine that is busy with other tests.
    assert monotonic() - killed < 8
    after = await until(service, generation_id, lambda status: status.ended)
    assert after[-1].ledger.n_in_doubt > 0  # the labels that were being made when it died
    await check_invariants(service, generation_id, doubts=after[-1].ledger.n_in_doubt)
