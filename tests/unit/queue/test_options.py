"""What may be asked for a job, and what it looks like on the wire."""

from datetime import timedelta
from typing import Any

import pytest

from holdfast.queue import Backoff, BadJob, JobOptions, NewJob, Retention
from holdfast.queue.jobs.options import OPTION_NAMES, keep_to_script


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attempts": 0}, "attempts"),
        ({"attempts": "3"}, "attempts"),
        ({"priority": -1}, "priority"),
        ({"delay": -1}, "delay"),
        ({"delay": float("nan")}, "delay"),
        ({"delay": timedelta(days=9_999)}, "delay"),
        ({"delay": "1"}, "delay"),
        ({"remove_on_complete": -5}, "keep"),
        ({"backoff": Backoff(delay=-2)}, "backoff"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadJob, match=message):
        JobOptions(**options).to_wire()


def test_attempts_and_delay_are_always_on_the_wire_and_nothing_that_was_not_asked_for() -> None:
    assert JobOptions().to_wire() == {"attempts": 1, "delay": 0}


@pytest.mark.parametrize(
    ("wire", "script"),
    [
        (None, ""),
        (False, ""),
        (True, "0"),
        (0, "0"),
        (7, "7:-1"),
        ({"age": 60}, "-1:60"),
        ({"age": 60, "count": 7}, "7:60"),
        ({"count": 0}, "0"),
        ({}, ""),
        ("nonsense", ""),
    ],
)
def test_what_bull_calls_keep_is_understood(wire: object, script: str) -> None:
    assert keep_to_script(wire) == script


def test_retention_is_written_as_bull_s_keep() -> None:
    wire = JobOptions(remove_on_complete=Retention(age=timedelta(days=1), count=9), remove_on_fail=True).to_wire()

    assert wire["removeOnComplete"] == {"age": 86_400, "count": 9}
    assert wire["removeOnFail"] is True


def test_a_new_job_says_its_options_in_the_order_of_their_names() -> None:
    given: dict[str, Any] = {name: f"<{name}>" for name in OPTION_NAMES}

    assert NewJob("x", **given).option_values() == tuple(given.values())


def test_fields_that_are_none_leave_the_defaults() -> None:
    defaults = JobOptions(attempts=4, lifo=True)

    assert defaults.over({"attempts": None, "lifo": False}) == JobOptions(attempts=4, lifo=False)
