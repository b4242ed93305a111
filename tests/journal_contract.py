"""What every journal must do; each test file of a journal runs `CLAIMS` against its own."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias
from uuid import uuid4

import pytest

from holdfast.durable import Granted, Held, Intent, Journal, Recorded, Reply
from holdfast.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What the journal's calls add up to, US dollars."""

    spent: Decimal
    in_doubt: Decimal
    n_in_doubt: int


AddUp: TypeAlias = Callable[[], Awaitable[Sums]]
Claim: TypeAlias = Callable[[Journal, AddUp], Awaitable[None]]


def intent(step: str = "label/0", *, reserve: str = "2", inputs: str = "f") -> Intent:
    return Intent(id=str(uuid4()), step=step, fingerprint=inputs, model="m", reserve=Decimal(reserve))


def reply(value: object = "v", *, cost: str = "1") -> Reply:
    return Reply(value=value, cost=Decimal(cost), usage={"input_tokens": 7})


def sums(spent: str = "0", in_doubt: str = "0", n_in_doubt: int = 0) -> Sums:
    return Sums(spent=Decimal(spent), in_doubt=Decimal(in_doubt), n_in_doubt=n_in_doubt)


async def a_settled_call_is_replayed(journal: Journal, add_up: AddUp) -> None:
    first = intent()
    assert await journal.begin(first, in_doubt="hold") == Granted()

    returned = await journal.settle(first, reply({"name": "Parking", "n": [1, None]}, cost="1.25"))

    assert returned == {"name": "Parking", "n": [1, None]}
    assert await journal.begin(intent(), in_doubt="hold") == Recorded(value=returned)
    assert await add_up() == sums("1.25")


async def a_reply_that_says_nothing_is_a_reply(journal: Journal, add_up: AddUp) -> None:
    first = intent()
    await journal.begin(first, in_doubt="hold")

    await journal.settle(first, reply("", cost="0"))

    assert await journal.begin(intent(), in_doubt="hold") == Recorded(value="")


async def a_reply_of_any_text_is_kept(journal: Journal, add_up: AddUp) -> None:
    odd = {"text": "ä \0 half a pair: \ud800, a whole one: \U0001f600 \u2028 \\u0000 \n", "\0": ["\ud800"]}
    values = [odd, {"json": "a wrapper of the journal's own?"}, {"json": '{"json": "twice"}'}, None]

    for n, value in enumerate(values):
        one = intent(f"label/{n}")
        await journal.begin(one, in_doubt="hold")
        await journal.settle(one, reply(value))

    kept = [await journal.begin(intent(f"label/{n}"), in_doubt="hold") for n in range(len(values))]
    assert kept == [Recorded(value=value) for value in values]


async def the_first_run_gets_what_a_replay_gets(journal: Journal, add_up: AddUp) -> None:
    first, said = intent(), {"pair": (1, 2), 3: "three", "nothing": None}
    await journal.begin(first, in_doubt="hold")

    returned = await journal.settle(first, reply(said))
    said["pair"] = "changed by the caller"

    assert returned == {"pair": [1, 2], "3": "three", "nothing": None}
    assert await journal.begin(intent(), in_doubt="hold") == Recorded(value=returned)


async def a_call_that_was_never_begun_gets_no_reply(journal: Journal, add_up: AddUp) -> None:
    with pytest.raises(NotFound):
        await journal.settle(intent(), reply())

    assert await journal.begin(intent(), in_doubt="hold") == Granted()


async def another_step_or_other_inputs_know_nothing_of_it(journal: Journal, add_up: AddUp) -> None:
    first = intent("label/0", inputs="a")
    await journal.begin(first, in_doubt="hold")
    await journal.settle(first, reply())
    await journal.begin(intent("label/0", inputs="doubtful"), in_doubt="hold")

    answers = [
        await journal.begin(intent(step, inputs=inputs), in_doubt="hold")
        for step, inputs in (("label/1", "a"), ("label/0", "b"))
    ]

    assert answers == [Granted(), Granted()]


async def a_repeated_begin_of_one_intent_is_one_intent(journal: Journal, add_up: AddUp) -> None:
    one = intent()

    answers = [await journal.begin(one, in_doubt="hold") for _ in range(3)]
    await journal.fail(one, error="timed out", cost=None)

    assert answers == [Granted()] * 3
    assert await add_up() == sums(in_doubt="2", n_in_doubt=1)


async def an_intent_without_a_reply_is_in_doubt_with_its_money(journal: Journal, add_up: AddUp) -> None:
    dead = intent(reserve="1.5")
    await journal.begin(dead, in_doubt="repeat")

    held = await journal.begin(intent(), in_doubt="hold")
    granted = await journal.begin(intent(), in_doubt="repeat")

    assert (held, granted) == (Held(call_id=dead.id), Granted(doubts=(dead.id,)))
    assert await add_up() == sums(in_doubt="1.5", n_in_doubt=1)


async def a_failed_call_keeps_what_it_cost_and_is_no_doubt(journal: Journal, add_up: AddUp) -> None:
    one = intent()
    await journal.begin(one, in_doubt="hold")

    await journal.fail(one, error="Overloaded: 529", cost=Decimal("0.10"))

    assert await journal.begin(intent(), in_doubt="hold") == Granted()
    assert await add_up() == sums("0.10")


async def a_failure_in_any_words_is_kept(journal: Journal, add_up: AddUp) -> None:
    one = intent()
    await journal.begin(one, in_doubt="hold")

    await journal.fail(one, error="the provider said \0 and \ud800", cost=Decimal("0.10"))

    assert await add_up() == sums("0.10")


async def a_failed_call_whose_cost_nobody_knows_is_in_doubt(journal: Journal, add_up: AddUp) -> None:
    one = intent()
    await journal.begin(one, in_doubt="hold")

    await journal.fail(one, error="timed out", cost=None)

    assert await journal.begin(intent(), in_doubt="hold") == Held(call_id=one.id)
    assert await add_up() == sums(in_doubt="2", n_in_doubt=1)


async def a_late_reply_is_recorded_and_the_first_one_counts(journal: Journal, add_up: AddUp) -> None:
    zombie, mine = intent(), intent()
    await journal.begin(zombie, in_doubt="repeat")
    await journal.begin(mine, in_doubt="repeat")

    first = await journal.settle(mine, reply("mine"))
    late = await journal.settle(zombie, reply("late", cost="0.5"))

    assert (first, late) == ("mine", "mine")
    assert await journal.begin(intent(), in_doubt="hold") == Recorded(value="mine")
    assert await add_up() == sums("1.5")


async def a_late_reply_that_is_the_first_one_counts(journal: Journal, add_up: AddUp) -> None:
    zombie = intent()
    await journal.begin(zombie, in_doubt="repeat")
    await journal.fail(zombie, error="timed out", cost=None)

    await journal.settle(zombie, reply("late"))

    assert await journal.begin(intent(), in_doubt="hold") == Recorded(value="late")
    assert await add_up() == sums("1")


async def replies_settled_at_the_same_time_leave_one_winner(journal: Journal, add_up: AddUp) -> None:
    intents = [intent() for _ in range(6)]
    for one in intents:
        await journal.begin(one, in_doubt="repeat")

    values = await asyncio.gather(*(journal.settle(one, reply(n)) for n, one in enumerate(intents)))

    assert len(set(values)) == 1
    assert await add_up() == sums("6")


async def settling_twice_counts_once(journal: Journal, add_up: AddUp) -> None:
    one = intent()
    await journal.begin(one, in_doubt="repeat")

    values = [await journal.settle(one, reply()) for _ in range(2)]

    assert values == ["v", "v"]
    assert await add_up() == sums("1")


async def a_failure_told_after_the_reply_changes_nothing(journal: Journal, add_up: AddUp) -> None:
    one = intent()
    await journal.begin(one, in_doubt="repeat")
    await journal.settle(one, reply())

    for cost in (None, Decimal(9)):
        await journal.fail(one, error="the answer to the commit was lost", cost=cost)

    assert await journal.begin(intent(), in_doubt="hold") == Recorded(value="v")
    assert await add_up() == sums("1")


CLAIMS: tuple[Claim, ...] = (
    a_settled_call_is_replayed,
    a_reply_that_says_nothing_is_a_reply,
    a_reply_of_any_text_is_kept,
    the_first_run_gets_what_a_replay_gets,
    a_call_that_was_never_begun_gets_no_reply,
    another_step_or_other_inputs_know_nothing_of_it,
    a_repeated_begin_of_one_intent_is_one_intent,
    an_intent_without_a_reply_is_in_doubt_with_its_money,
    a_failed_call_keeps_what_it_cost_and_is_no_doubt,
    a_failure_in_any_words_is_kept,
    a_failed_call_whose_cost_nobody_knows_is_in_doubt,
    a_late_reply_is_recorded_and_the_first_one_counts,
    a_late_reply_that_is_the_first_one_counts,
    replies_settled_at_the_same_time_leave_one_winner,
    settling_twice_counts_once,
    a_failure_told_after_the_reply_changes_nothing,
)


async def check_claim(claim: Claim, journal: Journal, add_up: AddUp) -> None:
    """Run one of `CLAIMS` on a fresh journal."""
    await claim(journal, add_up)
