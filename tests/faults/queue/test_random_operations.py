"""The state machine of the queue against a plain dict, for as long as `make faults` says."""

import os
from time import monotonic

import pytest
from hypothesis import seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.integration.queue.machine import QueueMachine

SECONDS = float(os.environ.get("HOLDFAST_TEST_SECONDS", "60"))
SEED = int(os.environ.get("HOLDFAST_TEST_SEED", "1"))


@pytest.mark.long
def test_any_long_sequence_of_operations_leaves_each_job_in_the_one_place_where_it_belongs(redis_url: str) -> None:
    QueueMachine.url = redis_url
    end, number = monotonic() + SECONDS, SEED * 10_000

    while monotonic() < end:
        print(f"hypothesis seed {number}")  # noqa: T201 - shown when it fails
        machine = seed(number)(type("Machine", (QueueMachine,), {}))
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            machine,
            settings=settings(
                max_examples=20,
                stateful_step_count=80,
                deadline=None,
                database=None,
                print_blob=True,
                derandomize=False,
            ),
        )
        number += 1
