"""A status against what the database said before and after it."""

from dataclasses import replace
from typing import Any

import pytest

from holdfast.drill.client import Told
from holdfast.drill.watch import Watch, against
from holdfast.errors import Unavailable
from holdfast.service import Account, UnitAccount

TOLD = Told(
    status="processing",
    progress=66,
    n_clusters=10,
    n_completed=3,
    n_failed=0,
    n_pending=7,
    n_running=4,
    error=None,
)


def account(done: int, *, failed: int = 0, state: str = "active") -> Account:
    states = ["done"] * done + ["failed"] * failed + ["pending"] * (10 - done - failed)
    units = [UnitAccount(id=n, stage="label", ordinal=n, round=0, state=each) for n, each in enumerate(states)]
    return Account(state=state, units=(UnitAccount(id=99, stage="embed", ordinal=0, round=0, state="done"), *units))


def test_a_status_between_what_the_database_said_before_and_after_is_right() -> None:
    assert list(against(TOLD, account(3), account(3))) == []
    assert list(against(TOLD, account(2), account(5))) == []
    ended = replace(TOLD, status="completed", n_completed=10, n_pending=0)
    assert list(against(ended, account(10), account(10, state="completed"))) == []


@pytest.mark.parametrize(
    ("told", "before", "after", "said"),
    [
        (TOLD, account(4), account(5), "n_completed was 3, the database had 4 before and 5 after"),
        (TOLD, account(1), account(2), "n_completed was 3, the database had 1 before and 2 after"),
        (TOLD, account(3, failed=1), account(3, failed=1), "n_failed was 0, the database had 1 before and 1 after"),
        (
            replace(TOLD, status="completed"),
            account(3),
            account(3),
            "status was completed, the database had active after",
        ),
        (
            TOLD,
            account(3, state="completed"),
            account(3, state="completed"),
            "status was processing, the database had completed before",
        ),
    ],
)
def test_a_status_that_the_database_never_had_is_told(told: Told, before: Account, after: Account, said: str) -> None:
    assert list(against(told, before, after)) == [said]


async def test_the_watch_keeps_what_was_wrong_what_was_unanswered_and_when_clusters_were_done() -> None:
    answers: list[Any] = [
        replace(TOLD, n_completed=2, n_pending=8),
        TOLD,
        Unavailable("the API is dead"),
        replace(TOLD, n_completed=2, n_pending=8),  # it went back
        replace(TOLD, status="completed", n_completed=10, n_pending=0, n_running=0, progress=100),
    ]
    known = account(3)

    async def look() -> Told:
        watch.api_is_dead = len(answers) == 3
        answer = answers.pop(0)
        if isinstance(answer, Unavailable):
            watch.api_dies()
            raise answer
        return answer  # type: ignore[no-any-return]

    async def database() -> Account:
        return known if answers else account(10, state="completed")

    watch = Watch(look, database, check=lambda: None)
    await watch.sampler.run()
    facts = watch.facts()

    assert (facts.samples, facts.unanswered, facts.n_wrong) == (4, 1, 3)
    assert "n_completed went back from 3 to 2" in facts.wrong
    assert "n_completed was 2, the database had 3 before and 3 after" in facts.wrong
    assert [point.done for point in watch.line] == [0, 2, 3, 2, 10]
    assert watch.first_back is not None
    assert watch.first_back.n_completed == 2
