"""The demo fails when anything did not hold."""

from dataclasses import replace

import pytest

from holdfast.demo import audit
from holdfast.demo.audit import Kill
from holdfast.service import Balance, Census

BALANCE = Balance(owed=28, done=28, failed=0, steps=24, done_twice=0, in_doubt=2, repeated=2)
KILLS = [
    Kill(what="worker", labels_pending=20, in_hands=2),
    Kill(what="redis-server", labels_pending=12, in_hands=2),
]


@pytest.mark.parametrize("kills", [[], KILLS[:1], [KILLS[0], replace(KILLS[1], in_hands=0)]])
def test_a_kill_that_hit_nothing_proves_nothing(kills: list[Kill]) -> None:
    assert audit._kills_hit(KILLS).held
    assert not audit._kills_hit(kills).held


@pytest.mark.parametrize("balance", [replace(BALANCE, done=27), replace(BALANCE, done=27, failed=1)])
def test_a_unit_that_was_not_done_is_a_loss(balance: Balance) -> None:
    assert audit._nothing_lost(BALANCE).held
    assert not audit._nothing_lost(balance).held


@pytest.mark.parametrize("balance", [replace(BALANCE, done_twice=1), replace(BALANCE, repeated=1)])
def test_a_label_that_was_answered_twice_or_never_again_is_told(balance: Balance) -> None:
    assert audit._nothing_twice(BALANCE).held
    assert not audit._nothing_twice(balance).held


@pytest.mark.parametrize(
    ("by_state", "twice"),
    [({"completed": 27}, 0), ({"completed": 28, "active": 1}, 1), ({"completed": 27, "wait": 1}, 0)],
)
def test_a_job_in_no_list_or_in_two_is_caught(by_state: dict[str, int], twice: int) -> None:
    assert audit._each_job_once(BALANCE, Census(by_state={"completed": 28}, in_two_states=0)).held
    assert not audit._each_job_once(BALANCE, Census(by_state=by_state, in_two_states=twice)).held
