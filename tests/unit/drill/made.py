"""Runs made up for tests: one that is as it must be, to be changed."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from holdfast.drill.facts import LogLines, Look, Moment, Money, Played, Point, Run, StatusFacts
from holdfast.service import Balance

LOOK = Look(when="at the end", by_state={"completed": 14}, hashes=14, wrong=())
MONEY = Money(
    billed=10,
    billed_usd=Decimal("15.00"),
    twice=0,
    spent=Decimal("15.00"),
    reserved=Decimal(0),
    in_doubt=0,
    in_doubt_usd=Decimal(0),
)
SERVER = Run(
    drill="server",
    title="server killed",
    clusters=10,
    completed=10,
    ended="completed",
    seconds=31.4,
    status=StatusFacts(samples=213, unanswered=87, longest_gap=0.3, n_wrong=0, wrong=()),
    looks=(LOOK,),
    money=MONEY,
    balance=Balance(owed=14, done=14, failed=0, steps=10, done_twice=0, in_doubt=0, repeated=0),
    in_two_states=0,
    moments=(Moment(at=12.5, kind="kill", what="API and 2 workers"), Moment(at=21.9, kind="start", what="API")),
    line=(Point(at=0.0, done=0), Point(at=11.1, done=1), Point(at=12.3, done=3), Point(at=30.1, done=10)),
    told_before=3,
    told_after=3,
    resumed_after=8.7,
)
LINES = LogLines(worker=11, lost=1, reconnected=1, resuming=1, after=2.3)
REDIS = replace(SERVER, drill="redis", title="Redis killed for 2 s", told_before=None, told_after=None, log=(LINES,))


def server(**changes: Any) -> Run:
    return replace(SERVER, **changes)


def redis(**changes: Any) -> Run:
    return replace(REDIS, **changes)


def money(**changes: Any) -> Money:
    return replace(MONEY, **changes)


def played(*runs: Run) -> Played:
    return Played(runs=runs, left_out={"persistence": "it was not asked for"})
