"""What follows when a stage has ended."""

from dataclasses import replace
from typing import Any

import pytest

from holdfast.service.stages import ASSEMBLE, CLUSTER, CODE, DRAFT, EMBED, LABEL, PREPARE, REVIEW, WHOLE, planner
from holdfast.store.units import Done, Ended, GivenUp, NewUnit, StageEnd, UnitEnd

FAILED = GivenUp(code="ValueError", message="no", attempt=3)


def ended(
    stage: str, *, done: int = 1, failed: int = 0, labels_failed: int = 0, end: UnitEnd | None = None
) -> StageEnd:
    return StageEnd(
        stage=stage,
        done={stage: done} if done else {},
        failed=({stage: failed} if failed else {}) | ({LABEL: labels_failed} if labels_failed else {}),
        end=end or Done(result={"n": 1}),
        config={},
    )


@pytest.mark.parametrize(("stage", "following"), [(EMBED, CLUSTER), (LABEL, ASSEMBLE), (CODE, ASSEMBLE)])
def test_a_stage_is_followed_by_the_next(stage: str, following: str) -> None:
    assert planner()(ended(stage)) == (NewUnit(stage=following, ordinal=0),)


def test_the_units_that_were_found_to_be_needed_come_next() -> None:
    labels = [NewUnit(stage=LABEL, ordinal=k) for k in range(3)]

    assert planner(labels)(ended(CLUSTER)) == labels


def test_what_is_built_again_after_a_retry_gets_a_job_of_its_own() -> None:
    again = replace(ended(LABEL), retries=2)

    assert planner()(again) == (NewUnit(stage=ASSEMBLE, ordinal=0, round=2),)
    assert planner([NewUnit(stage=CODE, ordinal=3)])(again) == [NewUnit(stage=CODE, ordinal=3, round=2)]


@pytest.mark.parametrize(("stage", "following"), [(PREPARE, CLUSTER), (CLUSTER, ASSEMBLE)])
def test_a_stage_with_nothing_to_do_is_passed_over(stage: str, following: str) -> None:
    assert planner([])(ended(stage)) == (NewUnit(stage=following, ordinal=0),)


@pytest.mark.parametrize("stage", [PREPARE, EMBED])
@pytest.mark.parametrize("config", [{"frame_of": "another's id"}, {"examples_digest": "d"}, {"examples": [["a", []]]}])
def test_a_frame_that_is_there_needs_no_clusters(stage: str, config: dict[str, Any]) -> None:
    known = replace(ended(stage), config=config)

    assert planner()(known) == (NewUnit(stage=ASSEMBLE, ordinal=0),)


def test_the_last_stage_completes_the_generation() -> None:
    assert planner()(ended(ASSEMBLE)) == Ended(state="completed", result={"n": 1})


def test_failed_labels_make_it_partial() -> None:
    assert planner()(ended(LABEL, done=9, failed=1)) == (NewUnit(stage=ASSEMBLE, ordinal=0),)
    assert planner()(ended(ASSEMBLE, labels_failed=1)) == Ended(state="partial", result={"n": 1})


@pytest.mark.parametrize("stage", [PREPARE, EMBED, CLUSTER, ASSEMBLE])
def test_a_failed_unit_of_any_other_stage_fails_it_with_the_reason(stage: str) -> None:
    plan = planner()(ended(stage, done=0, failed=1, end=FAILED))

    assert isinstance(plan, Ended)
    assert plan.state == "failed"
    assert plan.error == {
        "code": "stage_failed",
        "message": f"the stage {stage} failed: no",
        "unit": stage,
        "attempt": 3,
    }


def test_without_a_single_label_it_fails() -> None:
    plan = planner()(ended(LABEL, done=0, failed=4, end=FAILED))

    assert isinstance(plan, Ended)
    assert plan.error is not None
    assert plan.error["message"] == "none of the 4 clusters could be labelled: no"


def test_labels_are_reviewed_where_that_was_asked_for() -> None:
    asked = replace(ended(LABEL, done=3, failed=1), config={"review": True})

    assert planner()(asked) == (NewUnit(stage=REVIEW, ordinal=0),)
    assert planner()(replace(ended(CLUSTER), config={"review": True})) == (NewUnit(stage=ASSEMBLE, ordinal=0),)


def test_a_model_that_codes_the_answers_gets_a_draft_of_the_frame_first() -> None:
    asked = {"code_answers": True}

    for stage, config, following in (
        (LABEL, asked, DRAFT),
        (LABEL, asked | {"review": True}, REVIEW),
        (REVIEW, asked | {"review": True}, DRAFT),
        (WHOLE, asked, ASSEMBLE),
        (DRAFT, asked, ASSEMBLE),  # a frame without a code
        (CODE, asked, ASSEMBLE),
        (CLUSTER, asked, ASSEMBLE),
    ):
        assert planner()(replace(ended(stage), config=config)) == (NewUnit(stage=following, ordinal=0),)


def test_a_review_that_failed_leaves_a_frame_that_is_partial() -> None:
    failed = ended(REVIEW, done=0, failed=1, end=FAILED)

    assert planner()(failed) == (NewUnit(stage=ASSEMBLE, ordinal=0),)
    assert planner()(replace(ended(ASSEMBLE), failed={REVIEW: 1})) == Ended(state="partial", result={"n": 1})


def test_bundles_that_failed_leave_a_frame_that_is_partial_unless_all_did() -> None:
    assert planner()(ended(CODE, done=2, failed=1, end=FAILED)) == (NewUnit(stage=ASSEMBLE, ordinal=0),)
    assert planner()(replace(ended(ASSEMBLE), failed={CODE: 1})) == Ended(state="partial", result={"n": 1})

    plan = planner()(ended(CODE, done=0, failed=3, end=FAILED))

    assert isinstance(plan, Ended)
    assert (plan.error or {})["message"] == "none of the 3 bundles of answers could be coded: no"
