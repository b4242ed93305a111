"""What a status may never say."""

from typing import Any

import pytest
from tests.unit.cli.statuses import status

from holdfast.drill.sampler import contradictions


def test_a_status_that_goes_on_contradicts_nothing() -> None:
    assert contradictions(None, status()) == []
    assert contradictions(status(), status(n_completed=10, n_pending=12, progress=68)) == []
    assert (
        contradictions(status(), status(status="completed", n_completed=22, n_pending=0, progress=100, n_running=0))
        == []
    )


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"progress": 65}, "progress went back from 66 to 65"),
        ({"n_completed": 8, "n_pending": 14}, "n_completed went back from 9 to 8"),
        ({"n_clusters": 21, "n_pending": 12}, "n_clusters went back from 22 to 21"),
        ({"status": "queued"}, "status went back from processing to queued"),
        ({"n_pending": 12}, "clusters done, failed and pending are not all clusters"),
        ({"n_running": 14}, "more clusters run than are pending"),
    ],
)
def test_a_status_that_goes_back_is_caught(changes: dict[str, Any], wrong: str) -> None:
    assert contradictions(status(), status(**changes)) == [wrong]
