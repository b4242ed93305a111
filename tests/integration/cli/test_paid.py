"""Labels that are bought: what they may cost is said and agreed to first, and what they did cost is told."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from tests.integration.cli.command import Done, Holdfast

from holdfast.stub import StubProvider

MODEL = "anthropic:stub-model"
Answers = Callable[[int], Path]


@pytest.fixture
def buying(holdfast: Holdfast, provider: StubProvider) -> Holdfast:
    """The command with a provider to buy from."""
    holdfast.environment |= provider.environment()
    return holdfast


def bought(holdfast: Holdfast, answers: Path, out: Path, *more: str) -> Done:
    return holdfast.run("generate", answers, "--out", out, "--model", MODEL, "--clusters=4", "--no-progress", *more)


def generation_of(done: Done) -> str:
    return re.findall(r"^generation (\S+)", done.out, re.MULTILINE)[0]


def amounts(line: str) -> list[Decimal]:
    return [Decimal(each) for each in re.findall(r"\$(\d+\.\d+)", line)]


def test_a_generation_that_is_agreed_to_costs_what_the_provider_bills(
    buying: Holdfast, provider: StubProvider, real_answers: Answers, tmp_path: Path
) -> None:
    done = bought(buying, real_answers(80), tmp_path / "out.csv", "--yes")

    assert (done.code, done.err) == (0, "")
    cost = next(line for line in done.out.splitlines() if "for 4 calls" in line)
    spent, low, high = amounts(cost)
    assert abs(spent - provider.bill().usd) < Decimal("0.0001")
    assert low <= spent <= high
    assert (tmp_path / "out.csv").exists()


def test_nothing_is_bought_where_nobody_can_agree(
    buying: Holdfast, provider: StubProvider, real_answers: Answers, tmp_path: Path
) -> None:
    done = bought(buying, real_answers(80), tmp_path / "out.csv")

    assert done.code == 2
    assert "--yes" in done.err
    assert provider.bill().calls == ()


@pytest.mark.parametrize(("typed", "is_bought"), [("y\n", True), ("\n", False)])
def test_a_person_is_asked(
    buying: Holdfast, provider: StubProvider, real_answers: Answers, tmp_path: Path, typed: str, is_bought: bool
) -> None:
    ours, theirs = pty.openpty()
    arguments = ["generate", str(real_answers(40)), "--out", str(tmp_path / "out.csv"), "--model", MODEL]
    os.write(ours, typed.encode())

    done = subprocess.run(
        [sys.executable, "-m", "holdfast", *arguments, "--clusters=2", "--no-progress"],
        env=buying.environment,
        stdin=theirs,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    os.close(ours)
    os.close(theirs)
    assert "spend that?" in done.stdout
    assert done.returncode == (0 if is_bought else 1), done.stderr
    assert bool(provider.bill().calls) == is_bought


def test_a_budget_that_is_used_up_pauses_and_a_larger_one_goes_on_without_paying_twice(
    buying: Holdfast, provider: StubProvider, real_answers: Answers, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"

    paused = bought(buying, real_answers(80), out, "--yes", "--budget", "0.02")
    generation = generation_of(paused)
    told = buying.run("status", generation)
    before = len(provider.bill().calls)
    resumed = buying.run("resume", generation, "--budget", "$1", "--no-progress")

    assert (paused.code, out.exists()) == (1, True)
    assert "budget is 0.020000 USD" in paused.err
    assert f"holdfast resume {generation} --budget USD" in paused.out
    assert ": paused," in told.out
    assert provider.bill().usd > Decimal("0.02") > Decimal(0)
    assert (resumed.code, before < 4, len(provider.bill().calls)) == (0, True, 4)


def test_an_estimate_needs_no_key_and_no_server(real_answers: Answers, tmp_path: Path) -> None:
    alone = Holdfast(HOLDFAST_HOME=str(tmp_path / "home"))

    one = alone.run("estimate", real_answers(80), "--model", "openai:gpt-4o-mini", "--clusters=4")
    batch = alone.run("estimate", real_answers(80), "--model", "openai:gpt-4o-mini", "--clusters=4", "--batch")
    offline = alone.run("estimate", real_answers(80), "--model", "offline")
    unheard_of = alone.run("estimate", real_answers(80), "--model", "openai:unheard-of")

    assert (one.code, batch.code, offline.code) == (0, 0, 0)
    low, high = amounts(one.out.splitlines()[0])
    assert 0 < low < high
    assert amounts(batch.out.splitlines()[0])[1] < high
    assert "cost nothing" in offline.out
    assert (unheard_of.code, "HOLDFAST_PRICES" in unheard_of.err) == (2, True)
    assert not (tmp_path / "home").exists()


def test_a_missing_key_is_said_before_anything_is_imported(real_answers: Answers, holdfast: Holdfast) -> None:
    done = bought(holdfast, real_answers(80), Path("out.csv"), "--yes")

    assert done.code == 2
    assert "ANTHROPIC_API_KEY" in done.err
    assert done.out == ""


def test_a_budget_that_is_no_amount_is_refused(buying: Holdfast, real_answers: Answers) -> None:
    done = bought(buying, real_answers(80), Path("out.csv"), "--yes", "--budget=-1")

    assert done.code == 2
    assert "US dollars" in done.err


def test_the_ledger_is_shown_call_by_call_and_in_totals(
    buying: Holdfast, provider: StubProvider, real_answers: Answers, tmp_path: Path
) -> None:
    generation = generation_of(bought(buying, real_answers(80), tmp_path / "out.csv", "--yes"))

    calls = json.loads(buying.run("costs", generation, "--json").out)
    shown = buying.run("costs", generation)
    by_model = json.loads(buying.run("costs", "--by", "model", "--json").out)
    none = buying.run("costs", "--to", "2020-01-01")

    assert sum(Decimal(call["cost_usd"]) for call in calls["items"]) == provider.bill().usd
    assert sorted(call["step"] for call in calls["items"]) == [f"label/{k}" for k in range(4)]
    assert shown.out.count("replied") == 4
    assert [(row["group"], row["n_calls"]) for row in by_model["items"]] == [(MODEL, 4)]
    assert "no call was made" in none.out


def test_a_call_in_doubt_that_is_held_is_settled_by_a_person_and_goes_on(
    buying: Holdfast, provider: StubProvider, real_answers: Answers, tmp_path: Path
) -> None:
    provider.faults({"fault": "cut_body", "times": 1})

    held = bought(buying, real_answers(80), tmp_path / "out.csv", "--yes", "--in-doubt", "hold")
    generation = generation_of(held)
    listed = buying.run("costs", generation)
    settled = buying.run("resolve", generation, "--cost", "0")
    done = buying.run("resume", generation, "--no-progress")

    assert held.code == 1
    assert "in doubt" in held.err
    assert f"holdfast resolve {generation}" in held.out
    assert "≤ $" in listed.out
    assert "1 call settled" in settled.out
    assert (done.code, done.err) == (0, "")


def test_what_failed_is_tried_again(
    buying: Holdfast, provider: StubProvider, real_answers: Answers, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    provider.faults({"fault": "refusal", "times": 2})

    partial = bought(buying, real_answers(80), out, "--yes")
    generation = generation_of(partial)
    provider.no_faults()
    done = buying.run("retry", generation, "--no-progress")
    again = buying.run("retry", generation)

    assert (partial.code, f"holdfast retry {generation}" in partial.out) == (1, True)
    assert (done.code, "owed once more" in done.out) == (0, True)
    assert again.code == 1
    assert "only one that is partial or failed" in again.err


def test_a_generation_is_paused_and_cancelled_from_elsewhere(
    buying: Holdfast, provider: StubProvider, real_answers: Answers, tmp_path: Path
) -> None:
    paused = bought(buying, real_answers(80), tmp_path / "out.csv", "--yes", "--budget", "0.02")
    generation = generation_of(paused)

    one = buying.run("pause", generation)
    other = buying.run("cancel", generation)
    late = buying.run("resume", generation, "--no-progress")

    assert (one.code, other.code, late.code) == (0, 0, 1)
    assert "cancelled" in late.err


@pytest.mark.parametrize("command", ["pause", "cancel", "resolve", "retry", "costs"])
def test_a_generation_that_is_not_there_is_said(holdfast: Holdfast, command: str) -> None:
    missing = holdfast.run(command, "00000000-0000-4000-8000-000000000000")

    assert missing.code == 2
    assert "00000000-0000-4000-8000-000000000000" in missing.err


def test_what_is_no_id_is_said(holdfast: Holdfast) -> None:
    wrong = holdfast.run("pause", "seven")

    assert (wrong.code, "no generation id" in wrong.err) == (2, True)
