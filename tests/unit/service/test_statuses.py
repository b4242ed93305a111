"""Status is derived: from counts and times alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.service.stages import ASSEMBLE, BATCH, CLUSTER, CODE, DRAFT, EMBED, LABEL, PREPARE, REVIEW, WHOLE
from holdfast.service.statuses import status_of
from holdfast.store.generations import Generation, Snapshot, StageCounts
from holdfast.store.ledgers import Ledger

START = datetime(2026, 1, 1, tzinfo=UTC)
LEDGER = Ledger(n_calls=3, spent=Decimal("4.5"), reserved=Decimal(0), in_doubt=Decimal(0), n_in_doubt=0, n_repeated=0)


def stage(name: str, **counts: int) -> StageCounts:
    numbers = dict.fromkeys(("pending", "done", "failed", "started", "held"), 0) | counts
    return StageCounts(stage=name, seconds=2.0 if numbers["done"] else None, **numbers)


def snapshot(*stages: StageCounts, after: float = 10.0, n_clusters: int = 0, **changed: Any) -> Snapshot:
    fields: dict[str, Any] = {
        "id": UUID(int=1),
        "category_id": 7,
        "state": "active",
        "config": {},
        "fingerprint": "f",
        "n_answers": 1000,
        "result": None,
        "error": None,
        "client": None,
        "budget_usd": None,
        "estimate": None,
        "resumes": 0,
        "created_at": START,
        "started_at": START,
        "finished_at": None,
    }
    generation = Generation(**(fields | changed))
    now = START + timedelta(seconds=after)
    return Snapshot(generation=generation, stages={s.stage: s for s in stages}, n_clusters=n_clusters, now=now)


def test_three_of_ten_clusters() -> None:
    found = snapshot(
        stage(PREPARE, done=1), stage(EMBED, done=1), stage(CLUSTER, done=1), stage(LABEL, pending=7, done=3, started=2)
    )

    status = status_of(found, LEDGER, running=2)

    assert (status.status, status.phase, status.progress) == ("processing", LABEL, 62)
    assert (status.n_clusters, status.n_completed, status.n_pending, status.n_running) == (10, 3, 7, 2)
    assert status.processing_time_ms == 10_000
    assert status.spent_usd == Decimal("4.5")


def test_a_generation_nobody_has_started_is_queued() -> None:
    status = status_of(snapshot(stage(PREPARE, pending=1), started_at=None), LEDGER)

    assert (status.status, status.progress, status.eta_seconds, status.processing_time_ms) == ("queued", 0, None, 0)


BEFORE_THE_LABELS = (stage(PREPARE, done=1), stage(EMBED, done=1), stage(CLUSTER, done=1))


@pytest.mark.parametrize(("running", "seconds"), [(1, 15.0), (3, 5.0), (0, 15.0), (None, 7.5)])
def test_eta_is_what_a_label_takes_times_what_is_left_by_how_many_run_at_once(
    running: int | None, seconds: float
) -> None:
    found = snapshot(*BEFORE_THE_LABELS, stage(LABEL, pending=5, done=5, started=2))

    # 5 labels of 2 s are left, and assemble, worth a quarter of all 10 labels. None: Redis is away, and 2 were started.
    assert status_of(found, LEDGER, running=running).eta_seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("model", "pace", "seconds"), [("openai:m", 0.1, 52.5), ("openai:m", 50.0, 7.5), ("offline", 0.1, 7.5)]
)
def test_eta_waits_for_the_pace_of_paid_calls(model: str, pace: float, seconds: float) -> None:
    found = snapshot(*BEFORE_THE_LABELS, stage(LABEL, pending=5, done=5, started=2), config={"model": model})

    assert status_of(found, LEDGER, pace=pace).eta_seconds == pytest.approx(seconds)


def test_a_night_between_interruption_and_resume_is_not_in_the_eta() -> None:
    labels = stage(LABEL, pending=5, done=5, started=2)

    before, after = (snapshot(*BEFORE_THE_LABELS, labels, after=seconds) for seconds in (10, 36_000))

    assert status_of(after, LEDGER, running=1).eta_seconds == status_of(before, LEDGER, running=1).eta_seconds


def test_there_is_no_eta_before_the_first_unit_of_a_stage_is_done() -> None:
    assert status_of(snapshot(*BEFORE_THE_LABELS, stage(LABEL, pending=9, started=9)), LEDGER).eta_seconds is None


def test_stages_that_were_passed_over_do_not_hold_the_progress_back() -> None:
    found = snapshot(stage(PREPARE, done=1), stage(CLUSTER, done=1), stage(ASSEMBLE, pending=1))

    assert status_of(found, LEDGER).progress == 90


@pytest.mark.parametrize("state", ["completed", "partial"])
def test_an_ended_generation_is_at_one_hundred(state: str) -> None:
    ended = snapshot(
        stage(LABEL, done=9, failed=1),
        state=state,
        finished_at=START + timedelta(seconds=4),
        result={"mece": {"score": 88.5}},
    )

    status = status_of(ended, LEDGER)

    assert (status.progress, status.ended, status.mece_score, status.processing_time_ms) == (100, True, 88.5, 4000)
    assert status.phase is None


def test_nothing_runs_in_a_cancelled_generation() -> None:
    status = status_of(snapshot(stage(LABEL, pending=5, started=3), state="cancelled"), LEDGER, running=3)

    assert (status.status, status.n_running, status.n_pending) == ("cancelled", 0, 5)


def test_it_is_paused_once_all_that_is_owed_is_held_and_says_what_to_do() -> None:
    doubtful = replace(LEDGER, n_in_doubt=2, in_doubt=Decimal("3.0"))

    some_held = status_of(snapshot(stage(LABEL, pending=3, held=2)), doubtful)
    all_held = status_of(snapshot(stage(LABEL, pending=2, held=2, done=8)), doubtful)

    assert (some_held.status, some_held.error) == ("processing", None)
    assert all_held.status == "paused"
    assert all_held.error is not None
    assert all_held.error["code"] == "in_doubt"
    assert "resolve" in all_held.error["message"]


def test_the_clusters_are_known_while_their_labels_wait_for_a_batch() -> None:
    status = status_of(snapshot(*BEFORE_THE_LABELS, stage(BATCH, pending=1, started=1), n_clusters=10), LEDGER)

    assert (status.phase, status.n_clusters, status.n_pending, status.n_completed) == (LABEL, 10, 10, 0)
    assert status.progress == 50


PLAIN: dict[str, Any] = {}
CODED = {"coding_type": "brand", "model": "openai:m"}
BOTH = {"code_answers": True, "model": "openai:m"}


@given(st.data(), st.sampled_from([PLAIN, BOTH]))
def test_progress_never_goes_down_however_the_units_end(data: st.DataObject, config: dict[str, Any]) -> None:
    after = {DRAFT: 1, CODE: data.draw(st.integers(0, 9))} if config else {}
    totals = {
        PREPARE: 1,
        EMBED: data.draw(st.integers(0, 5)),
        CLUSTER: 1,
        LABEL: data.draw(st.integers(0, 9)),
        **after,
        ASSEMBLE: 1,
    }
    seen = [status_of(snapshot(stage(PREPARE, pending=1), config=config), LEDGER).progress]
    stages: dict[str, StageCounts] = {}

    for name, total in totals.items():
        for ended in range(total + 1):
            failed = data.draw(st.integers(0, ended)) if name in {LABEL, CODE} else 0
            if total:
                stages[name] = stage(name, pending=total - ended, done=ended - failed, failed=failed)
                seen.append(status_of(snapshot(*stages.values(), config=config), LEDGER).progress)

    assert seen == sorted(seen)


def test_a_review_under_way_has_no_eta_and_takes_no_progress_back() -> None:
    labelled = (*BEFORE_THE_LABELS, stage(LABEL, done=5))

    reviewing = status_of(snapshot(*labelled, stage(REVIEW, pending=1)), LEDGER)
    assembling = status_of(snapshot(*labelled, stage(REVIEW, done=1), stage(ASSEMBLE, pending=1)), LEDGER)

    assert (reviewing.phase, reviewing.progress, reviewing.eta_seconds) == (REVIEW, 90, None)
    assert (reviewing.n_completed, reviewing.n_pending, assembling.progress) == (5, 0, 90)


@pytest.mark.parametrize(("pace", "seconds"), [(None, 6.2), (0.1, 51.2)])
def test_a_coding_by_a_model_is_as_far_as_its_bundles(pace: float | None, seconds: float) -> None:
    found = snapshot(stage(PREPARE, done=1), stage(CODE, pending=5, done=5, started=2), config=CODED)

    status = status_of(found, LEDGER, running=2, pace=pace)

    # Five bundles of 2 s, two at once, or at the pace of paid calls; and assemble, worth 10/85 of all ten bundles.
    assert (status.phase, status.progress, status.eta_seconds) == (CODE, 47, pytest.approx(seconds, abs=0.05))
    assert (status.n_clusters, status.n_completed, status.n_running) == (0, 0, 0)


def test_answers_that_a_model_codes_after_its_labels_are_half_of_the_progress() -> None:
    labelled = (*BEFORE_THE_LABELS, stage(LABEL, done=4))

    assert status_of(snapshot(*labelled, stage(DRAFT, pending=1), config=BOTH), LEDGER).progress == 40
    coding = snapshot(*labelled, stage(DRAFT, done=1), stage(CODE, done=5, pending=5), config=BOTH)
    assert (status_of(coding, LEDGER).progress, status_of(coding, LEDGER).n_completed) == (70, 4)


def test_a_survey_in_one_prompt_is_as_far_as_its_one_call() -> None:
    asked = snapshot(stage(PREPARE, done=1), stage(WHOLE, pending=1), config={"whole": True})
    answered = snapshot(
        stage(PREPARE, done=1), stage(WHOLE, done=1), stage(ASSEMBLE, pending=1), config={"whole": True}
    )

    assert (status_of(asked, LEDGER).phase, status_of(asked, LEDGER).progress) == (WHOLE, 5)
    assert status_of(answered, LEDGER).progress == 90


def test_bundles_that_wait_for_a_batch_are_the_phase_of_coding() -> None:
    waiting = status_of(snapshot(stage(PREPARE, done=1), stage(BATCH, pending=1), config=CODED), LEDGER)

    assert (waiting.phase, waiting.progress) == (CODE, 5)
    labelled = (*BEFORE_THE_LABELS, stage(BATCH, done=1, pending=1), stage(LABEL, done=4), stage(DRAFT, done=1))
    assert status_of(snapshot(*labelled, config=BOTH), LEDGER).phase == CODE


def test_a_status_says_which_stages_gave_a_unit_up() -> None:
    found = snapshot(stage(PREPARE, done=1), stage(CODE, done=2, failed=1), config=CODED, state="partial")

    assert status_of(found, LEDGER).failed_stages == {CODE}
