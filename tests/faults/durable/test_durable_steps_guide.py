"""docs/how-to/durable-steps.md does what it says: its scripts are run as they stand, and killed at every line."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from holdfast.durable import Doubt, FileJournal

GUIDE = Path(__file__).parents[3] / "docs/how-to/durable-steps.md"
KILLER = Path(__file__).with_name("killed_at_lines.py")
REPORT, RESOLVE = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
PRICE = Decimal("0.25")
STEPS = ("clean_up", "find_themes", "count_answers", "summarize", "find_title")
MADE = "Mostly kind\nkind: 3, long: 2, queue: 2, staff: 2\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a script that was killed and run again has left in its folder."""

    folder: Path
    bill: Counter[str]  # by step
    doubts: list[Doubt]
    spent: Decimal

    @property
    def is_done(self) -> bool:
        report = self.folder / "report.txt"
        return report.exists() and report.read_text() == MADE and not (self.folder / "error.txt").exists()

    @property
    def billed_twice(self) -> set[str]:
        return {step for step, n in self.bill.items() if n > 1}


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The guide's script, with the other one beside it."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "resolve.py").write_text(RESOLVE)
    script = scripts / "report.py"
    script.write_text(REPORT)
    return script


def killed(script: Path, folder: Path, *arguments: str) -> list[Left]:
    """Kill the script at each line that the arguments choose, and run each of them again."""
    folder.mkdir()
    done = run(KILLER, folder, str(script), str(folder), *arguments)
    assert done.returncode == 0, done.stderr
    *stories, last = sorted(folder.iterdir())
    assert not (last / "killed").exists()  # there was no such line any more
    assert left_in(last).is_done
    return [left_in(story) for story in stories]


def run(script: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)


def left_in(folder: Path) -> Left:
    bill, journal = folder / "bill.txt", folder / "report.jsonl"
    billed = Counter(line.split()[0] for line in (bill.read_text().splitlines() if bill.exists() else []))
    with FileJournal(journal) as found:
        return Left(folder=folder, bill=billed, doubts=found.doubts(), spent=found.spent)


def check_repeated(left: Left) -> None:
    """The same result, and nothing paid twice but the one call that was cut off, which is listed with its cost."""
    assert left.is_done, (left.folder / "error.txt").read_text()
    assert set(left.bill) == set(STEPS)
    assert max(left.bill.values()) <= 2
    assert left.billed_twice <= {doubt.step for doubt in left.doubts}
    assert [doubt.reserve for doubt in left.doubts] in ([], [PRICE])
    assert left.spent == 5 * PRICE
    assert sum(left.bill.values()) * PRICE == left.spent + len(left.billed_twice) * PRICE
    told = (left.folder / "out.txt").read_text()
    assert all(f"in doubt: {doubt.step}, at most {PRICE} USD, call {doubt.call_id}" in told for doubt in left.doubts)


def check_all_repeated(stories: list[Left]) -> None:
    for left in stories:
        check_repeated(left)
    in_doubt = [doubt.step for left in stories for doubt in left.doubts]
    assert set(in_doubt) == set(STEPS)
    assert {step for left in stories for step in left.billed_twice} == set(STEPS)
    assert len(in_doubt) > sum(len(left.billed_twice) for left in stories)  # some were cut off before their bill


def test_the_guide_s_figures_are_those_of_its_script(report: Path, tmp_path: Path) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    first, second = run(report, tmp_path), run(report, tmp_path)

    assert f"`{first.stdout.strip()}`" in guide
    assert second.stdout.splitlines()[-1] == first.stdout.strip()
    left = left_in(tmp_path)
    assert (left.bill, left.is_done) == (Counter(STEPS), True)


def test_killed_at_any_of_its_lines_the_script_goes_on_where_it_stood(report: Path, tmp_path: Path) -> None:
    stories = killed(report, tmp_path / "killed", "1", "1")

    assert len(stories) > 100
    check_all_repeated(stories)


def test_killed_at_lines_of_the_journal_it_does_too(report: Path, tmp_path: Path) -> None:
    stories = killed(report, tmp_path / "killed", "7", "3", "--and-below")

    assert len(stories) > 100
    check_all_repeated(stories)


@pytest.mark.long
def test_killed_at_every_line_of_the_journal_it_does_too(report: Path, tmp_path: Path) -> None:
    check_all_repeated(killed(report, tmp_path / "killed", "1", "1", "--and-below"))


def test_held_it_pays_nothing_again_before_a_person_has_said_what_the_call_cost(report: Path, tmp_path: Path) -> None:
    stories = killed(report, tmp_path / "killed", "1", "1", "--hold")

    held = [left for left in stories if not left.is_done]
    assert not any(left.billed_twice for left in stories)
    assert all(left.bill == Counter(STEPS) and not left.doubts for left in stories if left.is_done)
    # One of each kind is settled: its step, and whether the call was billed.
    kinds = {(left.doubts[0].step, left.bill[left.doubts[0].step]): left for left in held}
    assert set(kinds) == {(step, billed) for step in STEPS for billed in (0, 1)}
    for (step, billed), left in kinds.items():
        check_settled(report, left, step, billed)


def check_settled(report: Path, left: Left, step: str, billed: int) -> None:
    [doubt] = left.doubts
    error = (left.folder / "error.txt").read_text().splitlines()[-1]
    assert error.startswith("holdfast.errors.StepHeld")
    assert doubt.call_id in error
    (left.folder / "error.txt").unlink()

    settled = run(report.with_name("resolve.py"), left.folder, doubt.call_id, str(billed * PRICE))
    again = run(report, left.folder, "--hold")

    assert (settled.returncode, again.returncode) == (0, 0), settled.stderr + again.stderr
    now = left_in(left.folder)
    assert now.is_done
    assert now.bill == Counter(STEPS) + Counter({step: billed})
    assert (now.doubts, now.spent) == ([], now.bill.total() * PRICE)
