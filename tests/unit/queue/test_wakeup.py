"""What a message on a channel means."""

import pytest

from holdfast.queue.work.wakeup import due_ms


@pytest.mark.parametrize(
    ("announced", "due"),
    [(b"1795513896471", 1795513896471.0), (b"", 0.0), (b"garbage", 0.0), (b"\xff", 0.0), (b"nan", 0.0), (b"inf", 0.0)],
)
def test_an_announcement_that_names_no_time_means_now(announced: bytes, due: float) -> None:
    assert due_ms(announced) == due
