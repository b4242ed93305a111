"""Whatever is done to a queue, it holds what a plain dict would."""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from tests.integration.queue.machine import QueueMachine


def test_any_sequence_of_operations_leaves_each_job_in_the_one_place_where_it_belongs(redis_url: str) -> None:
    QueueMachine.url = redis_url

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        QueueMachine,
        settings=settings(
            max_examples=30, stateful_step_count=40, deadline=None, database=None, derandomize=True, print_blob=True
        ),
    )
