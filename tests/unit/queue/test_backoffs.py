"""How long a job waits after a failed attempt, and when it is given up."""

from datetime import timedelta
from typing import Any

import pytest

from holdfast.errors import Unavailable
from holdfast.queue import Backoff, BadJob, JobOptions, QueueError, Unrecoverable
from holdfast.queue.jobs.backoffs import RetryRules, retry_after_ms

TEN_YEARS_MS = 10 * 366 * 86_400_000


def test_exponential_waits_grow_as_bull_s_do() -> None:
    backoff = Backoff(type="exponential", delay=2)

    assert [backoff.wait_ms(made) for made in (1, 2, 3)] == [2_000, 6_000, 14_000]


def test_fixed_waits_stay_and_none_is_endless() -> None:
    assert [Backoff(type="fixed", delay=timedelta(seconds=1)).wait_ms(made) for made in (1, 9)] == [1_000, 1_000]
    assert Backoff(delay=1_000_000).wait_ms(200) <= TEN_YEARS_MS


def test_no_wait_is_longer_than_the_cap() -> None:
    backoff = Backoff(delay=1, max=timedelta(seconds=5))

    assert [backoff.wait_ms(made) for made in (1, 2, 3, 60)] == [1_000, 3_000, 5_000, 5_000]


def test_jitter_only_shortens() -> None:
    waits = {Backoff(type="fixed", delay=1, jitter=0.5).wait_ms(1) for _ in range(200)}

    assert len(waits) > 10
    assert min(waits) >= 500
    assert max(waits) <= 1_000


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (5_000, Backoff(type="fixed", delay=5)),
        (-5, Backoff(type="fixed", delay=0)),
        ({"type": "exponential", "delay": 100}, Backoff(type="exponential", delay=0.1)),
        ({"type": "fixed"}, Backoff(type="fixed", delay=0)),
        ({"type": "theirs", "delay": 100}, Backoff(type="theirs", delay=0.1)),
        ({"type": "theirs"}, Backoff(type="theirs", delay=2)),
        ({"type": "fixed", "delay": 1e300}, Backoff(type="fixed", delay=TEN_YEARS_MS / 1000)),
        ({"type": "fixed", "delay": "5", "options": {"jitter": 7, "max": "x"}}, Backoff(type="fixed", delay=0)),
        ({"type": "fixed", "delay": 5, "options": [1]}, Backoff(type="fixed", delay=0.005)),
        ({"type": None}, None),
        ({}, None),
        (None, None),
        (True, None),
    ],
)
def test_bull_s_backoff_is_read(wire: object, expected: Backoff | None) -> None:
    assert Backoff.from_wire(wire) == expected


@pytest.mark.parametrize(
    "backoff",
    [Backoff(delay=0.25, jitter=0.5), Backoff(delay=1, max=60), Backoff(type="mine"), Backoff(type="fixed", delay=0)],
)
def test_a_backoff_survives_the_wire(backoff: Backoff) -> None:
    assert Backoff.from_wire(backoff.to_wire()) == backoff


@pytest.mark.parametrize("fields", [{"delay": -2}, {"jitter": 2}, {"jitter": "1"}, {"max": -1}, {"type": ""}])
def test_a_backoff_that_makes_no_sense_is_refused_when_the_job_is_added(fields: dict[str, Any]) -> None:
    with pytest.raises(BadJob, match="backoff"):
        JobOptions(backoff=Backoff(**fields)).to_wire()


def test_a_worker_s_own_backoff_is_asked_with_the_attempts_made_and_the_error() -> None:
    asked: list[tuple[int, BaseException]] = []
    error = ValueError("a")
    rules = RetryRules(by_name={"mine": lambda made, error: asked.append((made, error)) or 1.5})

    assert rules.wait_ms({"type": "mine"}, 3, error) == 1_500
    assert asked == [(3, error)]


@pytest.mark.parametrize("stop", [None, -1])
def test_a_backoff_that_answers_none_or_bull_s_minus_one_gives_the_job_up(stop: Any) -> None:
    assert RetryRules(by_name={"mine": lambda *_: stop}).wait_ms({"type": "mine"}, 1, ValueError()) is None


def test_a_type_that_this_worker_has_not_got_waits_longer_each_time() -> None:
    assert [RetryRules().wait_ms({"type": "theirs"}, made, ValueError()) for made in (1, 2)] == [2_000, 6_000]


@pytest.mark.parametrize("answer", ["soon", -7, float("nan")])
def test_a_backoff_that_does_not_work_costs_no_attempt_and_is_told_of_in_the_trace(answer: Any) -> None:
    error = ValueError("a")

    wait = RetryRules(by_name={"mine": lambda *_: answer}).wait_ms({"type": "mine"}, 1, error)

    assert wait == 2_000
    assert "did not work" in error.__notes__[0]


def test_the_rule_of_the_nearest_class_goes_before_the_job_s_backoff() -> None:
    rules = RetryRules(
        by_error={OSError: Backoff(type="fixed", delay=7), ConnectionError: None, KeyError: lambda made, _: made * 10}
    )

    assert rules.wait_ms(1_000, 1, TimeoutError()) == 7_000
    assert rules.wait_ms(1_000, 1, ConnectionResetError()) is None
    assert rules.wait_ms(1_000, 2, KeyError()) == 20_000
    assert rules.wait_ms(1_000, 1, ValueError()) == 1_000


def test_what_no_retry_can_cure_is_given_up_whatever_the_rules_say() -> None:
    assert RetryRules(by_error={Unrecoverable: Backoff()}).wait_ms(None, 1, Unrecoverable("a")) is None


class RateLimited(Exception):
    retry_after: Any = timedelta(seconds=30)


def test_a_server_that_says_when_to_come_back_is_obeyed_and_never_shortens_a_wait() -> None:
    assert RetryRules().wait_ms(None, 1, Unavailable("busy", retry_after=7)) == 7_000
    assert RetryRules().wait_ms(60_000, 1, Unavailable("busy", retry_after=7)) == 60_000
    assert (
        RetryRules(by_error={Unavailable: Backoff(delay=1)}).wait_ms(None, 1, Unavailable("busy", retry_after=9))
        == 9_000
    )
    assert RetryRules().wait_ms(None, 1, RateLimited()) == 30_000


@pytest.mark.parametrize("said", [None, "soon", -3, float("inf"), True])
def test_a_time_to_come_back_that_makes_no_sense_is_none(said: Any) -> None:
    error = RateLimited()
    error.retry_after = said

    assert retry_after_ms(error) == 0


@pytest.mark.parametrize(
    "rules",
    [
        {"by_name": {"fixed": lambda *_: 1}},
        {"by_name": {"mine": 3}},
        {"by_error": {"ValueError": None}},
        {"by_error": {int: None}},
        {"by_error": {ValueError: 3}},
    ],
)
def test_rules_that_make_no_sense_are_refused_at_once(rules: dict[str, Any]) -> None:
    with pytest.raises(QueueError):
        RetryRules(**rules)
