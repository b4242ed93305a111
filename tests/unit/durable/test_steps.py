"""Steps on a journal in memory: what is called, what is replayed, what is held."""

from decimal import Decimal
from typing import Any

import pytest

from holdfast.durable import Answer, Granted, Held, InDoubt, Intent, Recorded, Reply, Steps, fingerprint
from holdfast.errors import StepHeld


class MemoryJournal:
    """Keeps records in dicts, as a database would in rows."""

    def __init__(self) -> None:
        self.replies: dict[tuple[str, str], Any] = {}
        self.open: dict[str, Intent] = {}
        self.failed: list[tuple[str, str, Decimal]] = []
        self.spent = Decimal(0)

    async def begin(self, intent: Intent, *, in_doubt: InDoubt) -> Answer:
        key = (intent.step, intent.fingerprint)
        if key in self.replies:
            return Recorded(value=self.replies[key])
        doubts = [old.id for old in self.open.values() if (old.step, old.fingerprint) == key]
        if doubts and in_doubt == "hold":
            return Held(call_id=doubts[0])
        self.open[intent.id] = intent
        return Granted(doubts=tuple(doubts))

    async def settle(self, intent: Intent, reply: Reply) -> Any:
        self.open.pop(intent.id, None)
        self.spent += reply.cost
        return self.replies.setdefault((intent.step, intent.fingerprint), reply.value)

    async def fail(self, intent: Intent, *, error: str, cost: Decimal) -> None:
        self.open.pop(intent.id, None)
        self.failed.append((intent.step, error, cost))


class Provider:
    """Counts its calls and bills each."""

    def __init__(self, value: Any = "label", error: Exception | None = None) -> None:
        self.calls = 0
        self._value = value
        self._error = error

    async def __call__(self) -> Reply:
        self.calls += 1
        if self._error is not None:
            raise self._error
        return Reply(value=self._value, cost=Decimal("1.50"))


class BilledError(Exception):
    """A call that was billed and brought nothing."""

    cost = Decimal("0.75")


async def test_a_step_with_the_same_inputs_is_called_once() -> None:
    journal, provider = MemoryJournal(), Provider({"name": "Waiting times"})
    steps = Steps(journal)

    first = await steps.run("label/3", provider, inputs=["a", "b"], model="m")
    again = await Steps(journal).run("label/3", provider, inputs=["a", "b"], model="m")

    assert first == again == {"name": "Waiting times"}
    assert provider.calls == 1
    assert journal.spent == Decimal("1.50")


@pytest.mark.parametrize(
    ("name", "inputs", "model"),
    [("label/4", ["a"], "m"), ("label/3", ["b"], "m"), ("label/3", ["a"], "other")],
)
async def test_another_name_or_input_or_model_is_another_call(name: str, inputs: list[str], model: str) -> None:
    journal, provider = MemoryJournal(), Provider()
    await Steps(journal).run("label/3", provider, inputs=["a"], model="m")

    await Steps(journal).run(name, provider, inputs=inputs, model=model)

    assert provider.calls == 2


async def test_a_failed_call_is_recorded_with_what_it_cost_and_may_be_tried_again() -> None:
    journal = MemoryJournal()

    with pytest.raises(BilledError):
        await Steps(journal).run("label/0", Provider(error=BilledError("cut off")), inputs=[])
    value = await Steps(journal).run("label/0", Provider("second"), inputs=[])

    assert value == "second"
    assert journal.failed == [("label/0", "BilledError: cut off", Decimal("0.75"))]


async def test_a_call_in_doubt_is_repeated_by_the_policy_repeat() -> None:
    journal, provider = MemoryJournal(), Provider()
    await journal.begin(_dead_intent("label/1"), in_doubt="repeat")

    value = await Steps(journal, in_doubt="repeat").run("label/1", provider, inputs=["x"])

    assert value == "label"
    assert provider.calls == 1


async def test_a_call_in_doubt_is_not_repeated_by_the_policy_hold() -> None:
    journal, provider = MemoryJournal(), Provider()
    await journal.begin(_dead_intent("label/1"), in_doubt="hold")

    with pytest.raises(StepHeld, match="dead-attempt"):
        await Steps(journal, in_doubt="hold").run("label/1", provider, inputs=["x"])

    assert provider.calls == 0


async def test_the_first_recorded_reply_wins_over_a_late_one() -> None:
    journal = MemoryJournal()
    zombie = _dead_intent("label/1")
    await journal.begin(zombie, in_doubt="repeat")

    async def answered_meanwhile() -> Reply:
        await journal.settle(zombie, Reply(value="the zombie's", cost=Decimal("1.50")))
        return Reply(value="mine", cost=Decimal("1.50"))

    value = await Steps(journal).run("label/1", answered_meanwhile, inputs=["x"])

    assert value == "the zombie's"
    assert journal.spent == Decimal("3.00")


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})


def test_a_value_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError):
        fingerprint({"a": object()})
    with pytest.raises(ValueError, match="not JSON compliant"):
        fingerprint(float("nan"))


def _dead_intent(step: str) -> Intent:
    return Intent(id="dead-attempt", step=step, fingerprint=fingerprint("", ["x"]), model="", reserve=Decimal(2))
