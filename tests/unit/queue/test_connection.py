"""When to try again, what passes by itself, and what cannot be sent."""

from typing import Any

import pytest
from redis.exceptions import OutOfMemoryError, ResponseError

from holdfast.queue import BadJob
from holdfast.queue.link.connection import retry_delay, will_pass
from holdfast.queue.link.wire import pack


def test_a_reconnect_waits_fifty_ms_longer_each_time_up_to_two_seconds() -> None:
    assert [retry_delay(attempt) for attempt in (1, 2, 40, 10_000)] == [0.05, 0.1, 2.0, 2.0]


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), True),
        (ResponseError("Error running script: @user_script: 31: -OOM command not allowed"), True),
        (ResponseError("@user_script: 9: -READONLY You can't write against a read only replica."), True),
        (ResponseError("MISCONF Redis is configured to save RDB snapshots"), True),
        (ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"), False),
        (ResponseError("unknown command 'EVALSHB'"), False),
    ],
)
def test_a_state_of_the_server_passes_and_a_wrong_command_does_not(error: ResponseError, passes: bool) -> None:
    assert will_pass(error) is passes


@pytest.mark.parametrize("value", ["\ud800", None, True, {}])
def test_what_cannot_be_sent_is_refused_before_anything_is_owed(value: Any) -> None:
    with pytest.raises(BadJob, match="cannot be sent"):
        pack("GET", value)
