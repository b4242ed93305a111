"""The order of a generation's stages, and what follows when one has ended."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from holdfast.store.units import Done, Ended, GivenUp, NewUnit, Plan, StageEnd

PREPARE, WHOLE, EMBED, CLUSTER, BATCH, LABEL, REVIEW, DRAFT, CODE, ASSEMBLE = STAGES = (
    "prepare",
    "whole",  # only where a small survey goes into one prompt: the frame from one call
    "embed",
    "cluster",
    "batch",  # only where calls are bought in a provider's batch: submits it and waits for it
    "label",
    "review",  # only where it is asked for: one call over all labels
    "draft",  # only where a model codes the answers against a frame of clusters: that frame
    "code",  # only where a model codes the answers: a call for each bundle of them
    "assemble",
)

FIRST = (NewUnit(stage=PREPARE, ordinal=0),)

# A stage without units is passed over: no distinct text to embed, no cluster to label.
_AFTER = {
    PREPARE: CLUSTER,
    WHOLE: ASSEMBLE,
    EMBED: CLUSTER,
    CLUSTER: ASSEMBLE,
    LABEL: ASSEMBLE,
    REVIEW: ASSEMBLE,
    DRAFT: ASSEMBLE,
    CODE: ASSEMBLE,
}

# What stands on stages before it, and is made again when one of these is.
REBUILT = (REVIEW, DRAFT, CODE, ASSEMBLE)

# Without all of its units a generation can still have a codeframe.
MAY_FAIL = frozenset({LABEL, REVIEW, CODE})


def planner(following: Sequence[NewUnit] = ()) -> Callable[[StageEnd], Plan]:
    """What to commit when a stage's last unit ends; `following` are the units this one found to be needed."""

    def plan(end: StageEnd) -> Plan:
        failed = end.failed.get(end.stage, 0)
        if end.stage not in MAY_FAIL and failed:
            return _failed(end, "stage_failed", f"the stage {end.stage} failed")
        if end.stage == LABEL and not end.done.get(LABEL):
            return _failed(end, "no_label", f"none of the {failed} clusters could be labelled")
        if end.stage == CODE and not end.done.get(CODE):
            return _failed(end, "nothing_coded", f"none of the {failed} bundles of answers could be coded")
        if end.stage == ASSEMBLE:
            result = end.end.result if isinstance(end.end, Done) else None
            return Ended(state="partial" if MAY_FAIL & end.failed.keys() else "completed", result=result)
        if following:
            return [replace(unit, round=end.retries) for unit in following]
        return (NewUnit(stage=_next(end), ordinal=0, round=end.retries),)

    return plan


def _next(end: StageEnd) -> str:
    if end.stage in {PREPARE, EMBED} and any(map(end.config.get, ("frame_of", "examples", "examples_digest"))):
        return ASSEMBLE  # its codes are there already
    if end.stage == LABEL and end.config.get("review"):
        return REVIEW
    return DRAFT if end.stage in {LABEL, REVIEW} and end.config.get("code_answers") else _AFTER[end.stage]


def _failed(end: StageEnd, code: str, message: str) -> Ended:
    error: dict[str, object] = {"code": code, "message": message, "unit": end.stage, "attempt": None}
    if isinstance(end.end, GivenUp):
        error |= {"message": f"{message}: {end.end.message}", "attempt": end.end.attempt}
    return Ended(state="failed", error=error)
