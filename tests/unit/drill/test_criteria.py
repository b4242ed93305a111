"""Each criterion fails, with the figures, when what it is about did not hold."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.drill.made import LINES, LOOK, REDIS, SERVER, money, played, redis, server

from holdfast.drill import judge, passed
from holdfast.drill.facts import Run, StatusFacts


def failing(*runs: Run) -> dict[int, tuple[str, ...]]:
    return {each.number: each.wrong for each in judge(played(*runs)) if each.verdict == "fail"}


def test_what_is_as_it_must_be_passes() -> None:
    criteria = judge(played(SERVER, REDIS))

    assert [each.verdict for each in criteria] == ["pass"] * 5
    assert passed(criteria)
    assert criteria[0].figures == (
        "3 of 10 when killed, 3 of 10 when back",
        "10 of 10 at the end, resumed after 8.7 s",
    )
    assert criteria[3].figures[1] == "20 labels, 20 calls billed ($30.00), 0 billed twice"


def test_a_drill_that_was_not_played_is_no_pass_and_no_failure() -> None:
    criteria = judge(played(SERVER))

    assert criteria[1].verdict == "not played"
    assert passed(criteria)
    assert not passed(judge(played()))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (server(told_after=2), "the status said 3 before and 2 after"),
        (server(told_after=None), "the status said 3 before and None after"),
        (server(resumed_after=None), "no job was taken afterwards"),
        (server(ended="paused", completed=9), "ended paused with 9 of 10 clusters"),
    ],
)
def test_a_server_that_does_not_go_on_fails_the_first(run: Run, said: str) -> None:
    assert failing(run)[1] == (f"server killed: {said}",)


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (redis(log=(replace(LINES, lost=0),)), "worker 11 did not say 'redis connection lost'"),
        (redis(log=(replace(LINES, reconnected=0),)), "worker 11 did not say 'redis reconnected'"),
        (redis(log=(LINES, replace(LINES, worker=12, resuming=0))), "worker 12 did not say 'resuming pending jobs'"),
        (redis(log=()), "no worker was there to lose its connection"),
        (redis(ended="processing", completed=5), "ended processing with 5 of 10 clusters"),
    ],
)
def test_a_worker_that_does_not_come_back_fails_the_second(run: Run, said: str) -> None:
    assert failing(run)[2] == (f"Redis killed for 2 s: {said}",)


def test_a_status_that_went_back_fails_the_third_alone() -> None:
    back = "n_completed went back from 3 to 2"
    wrong = StatusFacts(samples=10, unanswered=0, longest_gap=0.1, n_wrong=9, wrong=(back,))

    assert failing(server(status=wrong)) == {3: ("server killed: n_completed went back from 3 to 2",)}
    assert failing(server(status=replace(wrong, samples=0, wrong=()))) == {
        3: ("server killed: the status was never read",)
    }


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (server(balance=replace(SERVER.balance, done=13)), "1 units lost, 0 failed of 14"),
        (server(balance=replace(SERVER.balance, done_twice=2)), "2 labels have two replies"),
        (server(in_two_states=1), "1 jobs are in two lists of Redis"),
        (server(money=money(reserved=Decimal("1.50"))), "$1.50 are still reserved"),
        (
            server(money=money(billed=9, billed_usd=Decimal("13.5"), spent=Decimal("13.5"))),
            "9 calls billed, 0 of them twice, for 10 labels",
        ),
    ],
)
def test_a_loss_or_a_second_effect_fails_the_fourth_alone(run: Run, said: str) -> None:
    assert failing(run) == {4: (f"server killed: {said}",)}


def test_a_call_billed_twice_passes_only_if_it_was_cut_off_and_is_listed_in_doubt() -> None:
    twice = money(billed=11, billed_usd=Decimal("16.50"), twice=1)
    listed = replace(twice, in_doubt=1, in_doubt_usd=Decimal("1.79"))

    assert failing(server(money=listed, cut_off=1)) == {}
    assert failing(server(money=listed)) == {
        4: ("server killed: 1 calls billed twice, 0 were cut off between bill and reply",)
    }
    assert failing(server(money=twice, cut_off=1)) == {
        4: (
            "server killed: 1 calls billed twice, only 0 listed as in doubt",
            "server killed: the bill says $16.50, the ledger $15.00 and $0.00 in doubt",
        )
    }


def test_a_look_that_differs_fails_the_fifth_alone() -> None:
    torn = replace(LOOK, wrong=("label/3: its job has no hash",))

    assert failing(server(looks=(LOOK, torn))) == {5: ("server killed: at the end: label/3: its job has no hash",)}
    many = replace(LOOK, wrong=tuple(f"label/{n}: its job has no hash" for n in range(10)))
    assert judge(played(server(looks=(many,))))[4].shown_wrong[5:] == (
        "server killed: at the end: label/5: its job has no hash",
        "and 4 more",
    )
    assert failing(server(looks=())) == {5: ("server killed: nobody looked",)}
