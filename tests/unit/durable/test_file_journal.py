"""The journal in a file: the contract, and what a kill, a full disk or a stranger does to the file."""

import resource
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.journal_contract import CLAIMS, Claim, Sums, check_claim, intent, reply, sums

from holdfast.durable import FileJournal, Granted, Held, Recorded, Steps
from holdfast.errors import Conflict, JournalBroken, NotFound, StepHeld


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture
def journal(path: Path) -> Iterator[FileJournal]:
    with FileJournal(path) as opened:
        yield opened


def added_up(journal: FileJournal) -> Sums:
    doubts = journal.doubts()
    in_doubt = sum((doubt.reserve for doubt in doubts), Decimal(0))
    return Sums(spent=journal.spent, in_doubt=in_doubt, n_in_doubt=len(doubts))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
async def test_it_is_a_journal(claim: Claim, path: Path) -> None:
    with FileJournal(path) as journal:

        async def add_up() -> Sums:
            return added_up(journal)

        await check_claim(claim, journal, add_up)
        before = added_up(journal)

    with FileJournal(path) as again:
        after = added_up(again)  # what was under way when the file was closed is in doubt now
        assert after.spent == before.spent
        assert after.n_in_doubt >= before.n_in_doubt


async def test_opened_again_it_replays_and_lists_what_was_under_way(path: Path) -> None:
    settled, failed, dead = intent("a"), intent("b"), intent("c", reserve="0.40")
    with FileJournal(path) as journal:
        for one in (settled, failed, dead):
            await journal.begin(one, in_doubt="hold")
        await journal.settle(settled, reply({"text": "ä \ud800 \u2028 \n"}))
        await journal.fail(failed, error="refused", cost=Decimal("0.25"))

    with FileJournal(path) as again:
        answers = [await again.begin(intent(step), in_doubt="hold") for step in "abc"]
        [doubt] = again.doubts()

    assert answers == [Recorded(value={"text": "ä \ud800 \u2028 \n"}), Granted(), Held(call_id=dead.id)]
    assert (doubt.call_id, doubt.step, doubt.model, doubt.reserve) == (dead.id, "c", "m", Decimal("0.40"))
    assert again.spent == Decimal("1.25")


async def test_whatever_a_power_cut_left_of_the_last_line_is_cut_off(path: Path, tmp_path: Path) -> None:
    ends: dict[int, Sums] = {}  # length of the file -> what it adds up to
    with FileJournal(path) as journal:
        for n in range(2):
            one = intent(f"step/{n}")
            await journal.begin(one, in_doubt="repeat")
            ends[path.stat().st_size] = sums(str(n), in_doubt="2", n_in_doubt=1)
            await journal.settle(one, reply(n))
            ends[path.stat().st_size] = sums(str(n + 1))
    data = path.read_bytes()
    torn = tmp_path / "torn.jsonl"

    near_ends = {end + by for end in (0, *ends) for by in (-2, -1, 0, 1, 2)}
    for length in sorted(near_ends.intersection(range(len(data) + 1)).union(range(0, len(data), 17))):
        whole = max((end for end in ends if end <= length), default=0)
        for left in leftovers(data, length):
            torn.write_bytes(left)
            with FileJournal(torn) as found:
                assert added_up(found) == ends.get(whole, sums()), left[whole:]
                assert await found.begin(intent("new"), in_doubt="hold") == Granted()
            with FileJournal(torn) as again:
                assert "new" in [doubt.step for doubt in again.doubts()]


def leftovers(data: bytes, length: int) -> Iterator[bytes]:
    """What may be there of a file of which `length` bytes are on disk and the rest of the line was being written."""
    yield data[:length]
    missing = data.find(b"\n", length) - length
    if missing > 0 and data[length - 1 : length] != b"\n":
        yield data[:length] + b"\0" * missing  # the length got there, the bytes did not
        yield data[:length] + b"\0" * missing + b"\n"  # the end got there before the middle


async def test_a_file_damaged_before_its_last_line_is_refused_and_left_alone(path: Path) -> None:
    with FileJournal(path) as journal:
        for n in range(3):
            await journal.begin(intent(f"step/{n}"), in_doubt="repeat")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] = 0
    path.write_bytes(data)

    with pytest.raises(JournalBroken, match="damaged at byte"):
        FileJournal(path)

    assert path.read_bytes() == data


@pytest.mark.parametrize(
    "content",
    [
        "name,answer\n1,good\n",
        "no line end",
        '{"journal":"holdfast","version":2}\n',
        '{"journal":"holdfast","version":1}\n{"kind":"from the future"}\n',
        '{"journal":"holdfast","version":1}\n{"kind":"settled","call":"unknown","cost":"1"}\n',
    ],
)
def test_what_is_no_journal_of_ours_is_refused_and_left_alone(path: Path, content: str) -> None:
    path.write_text(content)

    for _ in range(2):  # a refused file is not kept locked either
        with pytest.raises(JournalBroken):
            FileJournal(path)

    assert path.read_text() == content


def test_only_one_has_it_at_a_time(path: Path, journal: FileJournal) -> None:
    with pytest.raises(Conflict, match="in use"):
        FileJournal(path)

    journal.close()

    FileJournal(path).close()


async def test_a_full_disk_loses_nothing_that_was_said_to_be_on_disk(path: Path, journal: FileJournal) -> None:
    first, second = intent("a"), intent("b")
    await journal.begin(first, in_doubt="hold")
    await journal.settle(first, reply("a"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, hard))
    try:
        with pytest.raises(JournalBroken, match="File too large"):
            await journal.begin(second, in_doubt="hold")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    with pytest.raises(JournalBroken, match="open it again"):
        await journal.begin(second, in_doubt="hold")
    journal.close()
    with FileJournal(path) as again:
        assert added_up(again) == sums("1")
        assert await again.begin(second, in_doubt="hold") == Granted()


async def test_a_closed_journal_writes_nothing(journal: FileJournal) -> None:
    journal.close()

    with pytest.raises(JournalBroken, match="closed"):
        await journal.begin(intent(), in_doubt="hold")


@pytest.mark.parametrize(("said", "cost"), [(None, "2"), (Decimal(0), "0"), (Decimal("0.3"), "0.3")])
async def test_a_doubt_that_a_person_settles_costs_what_they_say(
    path: Path, journal: FileJournal, said: Decimal | None, cost: str
) -> None:
    dead = intent(reserve="2")
    await journal.begin(dead, in_doubt="hold")
    await journal.fail(dead, error="timed out", cost=None)

    await journal.resolve(dead.id, cost=said)

    assert added_up(journal) == sums(cost)
    assert await journal.begin(intent(), in_doubt="hold") == Granted()
    journal.close()
    with FileJournal(path) as again:
        assert again.spent == Decimal(cost)


async def test_a_reply_that_comes_after_a_person_gave_its_cost_says_it_better(journal: FileJournal) -> None:
    zombie = intent()
    await journal.begin(zombie, in_doubt="hold")
    await journal.fail(zombie, error="timed out", cost=None)
    await journal.resolve(zombie.id)

    await journal.settle(zombie, reply("late", cost="0.7"))

    assert added_up(journal) == sums("0.7")
    assert await journal.begin(intent(), in_doubt="hold") == Recorded(value="late")


async def test_what_is_not_in_doubt_cannot_be_settled(journal: FileJournal) -> None:
    one = intent()
    await journal.begin(one, in_doubt="hold")

    for call_id in ("unknown", one.id):
        with pytest.raises(NotFound, match="call in doubt"):
            await journal.resolve(call_id)
    with pytest.raises(NotFound):
        await journal.settle(intent(), reply())


async def test_the_first_run_returns_what_a_replay_returns(journal: FileJournal) -> None:
    async def call() -> object:
        return reply({"pair": (1, 2), 3: "three"})

    first = await Steps(journal).run("s", call, inputs=[])
    first["pair"].append("changed by the caller")
    again = await Steps(journal).run("s", call, inputs=[])

    assert again == {"pair": [1, 2], "3": "three"}


async def test_a_step_in_doubt_is_held_until_a_person_has_settled_it(journal: FileJournal) -> None:
    async def cut_off() -> object:
        raise TimeoutError

    async def answered() -> object:
        return reply("label")

    steps = Steps(journal, in_doubt="hold")
    with pytest.raises(TimeoutError):
        await steps.run("label", cut_off, inputs=[], reserve=Decimal(2))

    with pytest.raises(StepHeld) as held:
        await steps.run("label", answered, inputs=[], reserve=Decimal(2))
    await journal.resolve(held.value.call_id, cost=Decimal(0))

    assert await steps.run("label", answered, inputs=[], reserve=Decimal(2)) == "label"
    assert added_up(journal) == sums("1")
