"""Names of keys, and ids that must not be used."""

from typing import Any

import pytest

from holdfast.queue import BadJob, Queue, QueueError
from holdfast.queue.keys import Keys, check_job_id


def test_keys_are_bull_s() -> None:
    keys = Keys("bull", "g")

    assert keys.wait == "bull:g:wait"
    assert keys.meta_paused == "bull:g:meta-paused"
    assert keys.lock("7") == "bull:g:7:lock"
    assert keys.client_name == "bull:Zw=="


def test_channels_of_a_queue_with_a_pattern_in_its_name_match_only_itself() -> None:
    assert Keys("bull", "a*[b]?").wake_pattern() == r"bull:a\*\[b\]\?:waiting@*"


@pytest.mark.parametrize(
    "job_id",
    [
        *(
            "",
            "0",
            "17",
            "007",
            "wait",
            "active",
            "id",
            "meta-paused",
            "stalled-check",
            "limiter:index",
            "de:x",
            "keep:x",
        ),
        *(
            "presence:x",
            "watch",
            "a:lock",
            "mail:1:logs",
            "line\nbreak",
            "nul\0",
            "\x7f",
            "a\u2028b",
            "\ud800",
            "x" * 257,
        ),
    ],
)
def test_an_id_that_could_collide_is_refused(job_id: str) -> None:
    with pytest.raises(BadJob):
        check_job_id(job_id)


@pytest.mark.parametrize(
    ("job_id", "message"),
    [(5, "numbers are Bull's"), ("\ud800", "cannot be printed"), ("wait", "could collide"), ("7", "number")],
)
def test_a_refused_id_is_told_why(job_id: Any, message: str) -> None:
    with pytest.raises(BadJob, match=message):
        check_job_id(job_id)


@pytest.mark.parametrize("name", ["\ud800", "", None, 5, b"q"])
def test_a_queue_whose_name_or_prefix_cannot_be_sent_is_refused_at_once(name: Any) -> None:
    with pytest.raises(QueueError, match="name"):
        Queue(name)
    with pytest.raises(QueueError, match="prefix"):
        Queue("q", prefix=name)


@pytest.mark.parametrize("job_id", ["mail-1", "g-7:label/3", "1a", "Übung", "locks", "x" * 256, "a b"])
def test_other_ids_are_fine(job_id: str) -> None:
    check_job_id(job_id)
