"""The status of a generation, computed from what is owed and done; nothing here is counted up anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from holdfast.service.requests import OFFLINE, OPEN_ENDED
from holdfast.service.stages import ASSEMBLE, BATCH, CLUSTER, CODE, DRAFT, EMBED, LABEL, PREPARE, STAGES, WHOLE
from holdfast.store.generations import Snapshot, StageCounts
from holdfast.store.ledgers import Ledger

# Percent of the whole that each stage is worth. A stage's units are all known when the first of them is, so the sum
# never goes backwards.
WEIGHTS = dict.fromkeys(STAGES, 0) | {PREPARE: 2, EMBED: 38, CLUSTER: 10, LABEL: 40, ASSEMBLE: 10}
CODED = dict.fromkeys(STAGES, 0) | {PREPARE: 5, CODE: 85, ASSEMBLE: 10}  # a model codes the answers; no clusters
AT_ONCE = dict.fromkeys(STAGES, 0) | {PREPARE: 5, WHOLE: 85, ASSEMBLE: 10}  # one call over all answers
LABELLED_AND_CODED = dict.fromkeys(STAGES, 0) | {
    PREPARE: 2, EMBED: 13, CLUSTER: 5, LABEL: 20, DRAFT: 5, CODE: 50, ASSEMBLE: 5,
}  # fmt: skip
PACED = frozenset({LABEL, CODE})  # stages of which each unit may be a paid call

ENDED = frozenset({"completed", "partial", "failed", "cancelled", "applied"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything `GET …/status` says, but for the hierarchy."""

    generation_id: UUID
    category_id: int
    status: str  # queued | processing | paused | completed | partial | failed | cancelled
    phase: str | None  # the stage under way
    progress: int  # percent, never going down
    n_answers: int
    n_clusters: int
    n_completed: int
    n_failed: int
    n_pending: int
    n_running: int
    ledger: Ledger
    eta_seconds: float | None
    processing_time_ms: int
    mece_score: float | None
    error: dict[str, Any] | None  # why it failed, or why it is paused
    budget: Decimal | None  # US dollars
    estimate: dict[str, Any] | None  # what it was said to cost before it started
    result: dict[str, Any] | None
    created_at: datetime
    failed_stages: frozenset[str] = frozenset()  # stages of which a unit was given up

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def spent_usd(self) -> Decimal:
        return self.ledger.spent


def status_of(snapshot: Snapshot, ledger: Ledger, *, running: int | None = None, pace: float | None = None) -> Status:
    """Derive the status. `running`: jobs of the stage under way that Redis holds active now, if that is one of many
    calls; None if Redis was not asked or is away.

    `pace`: paid calls a second that the limiter lets through; None: no limit.
    """
    generation = snapshot.generation
    label = snapshot.stages.get(LABEL)
    n_clusters = max(snapshot.n_clusters, label.total if label else 0)
    pending = label.pending if label else n_clusters
    result = generation.result or {}
    return Status(
        generation_id=generation.id,
        category_id=generation.category_id,
        status=_word(snapshot),
        phase=_phase(snapshot),
        progress=_progress(snapshot),
        n_answers=generation.n_answers,
        n_clusters=n_clusters,
        n_completed=label.done if label else 0,
        n_failed=label.failed if label else 0,
        n_pending=pending,
        n_running=0 if generation.state != "active" else min(pending, _running(label, running)),
        ledger=ledger,
        eta_seconds=_eta(snapshot, running, pace),
        processing_time_ms=_milliseconds(snapshot),
        mece_score=(result.get("mece") or {}).get("score"),
        error=generation.error or _held(snapshot, ledger),
        budget=generation.budget_usd,
        estimate=generation.estimate,
        result=generation.result,
        created_at=generation.created_at,
        failed_stages=frozenset(name for name, counts in snapshot.stages.items() if counts.failed),
    )


def _word(snapshot: Snapshot) -> str:
    if snapshot.generation.state != "active":
        return snapshot.generation.state
    if _waits_for_a_person(snapshot):
        return "paused"
    return "queued" if snapshot.generation.started_at is None else "processing"


def _waits_for_a_person(snapshot: Snapshot) -> bool:
    """Whether all that is still owed is held until a call in doubt is settled."""
    pending = sum(counts.pending for counts in snapshot.stages.values())
    return 0 < pending == sum(counts.held for counts in snapshot.stages.values())


def _held(snapshot: Snapshot, ledger: Ledger) -> dict[str, Any] | None:
    if snapshot.generation.state != "active" or not _waits_for_a_person(snapshot):
        return None
    message = (
        f"{ledger.n_in_doubt} calls are in doubt ({ledger.in_doubt:f} USD) and held: look at the provider's bill, "
        "then resolve them"
    )
    return {"code": "in_doubt", "message": message, "unit": None, "attempt": None}


def _phase(snapshot: Snapshot) -> str | None:
    if snapshot.generation.state not in {"active", "paused"}:
        return None
    under_way = [stage for stage in STAGES if stage in snapshot.stages and snapshot.stages[stage].pending]
    bought = CODE if _is_coded(snapshot) or DRAFT in snapshot.stages else LABEL
    return next((bought if stage == BATCH else stage for stage in under_way), None)


def _running(counts: StageCounts | None, running: int | None) -> int:
    if running is not None:
        return running
    return counts.started if counts else 0


def _weights(snapshot: Snapshot) -> Mapping[str, int]:
    if snapshot.generation.config.get("code_answers"):
        return LABELLED_AND_CODED
    if snapshot.generation.config.get("whole"):
        return AT_ONCE
    return CODED if _is_coded(snapshot) else WEIGHTS


def _is_coded(snapshot: Snapshot) -> bool:
    """Whether a model codes the answers without clusters."""
    config = snapshot.generation.config
    return bool(config.get("coding_type", OPEN_ENDED) != OPEN_ENDED and config.get("model", OFFLINE) != OFFLINE)


def _progress(snapshot: Snapshot) -> int:
    if snapshot.generation.state in {"completed", "partial"}:
        return 100
    return min(99, int(sum(_done_share(snapshot, stage) * weight for stage, weight in _weights(snapshot).items())))


def _done_share(snapshot: Snapshot, stage: str) -> float:
    counts = snapshot.stages.get(stage)
    if counts is None:
        # A stage that was passed over (nothing to embed, no cluster to label) counts as done once a later one is there.
        later = STAGES[STAGES.index(stage) + 1 :]
        return 1.0 if any(name in snapshot.stages for name in later) else 0.0
    return (counts.done + counts.failed) / counts.total


def _eta(snapshot: Snapshot, running: int | None, pace: float | None) -> float | None:
    """Seconds left, from what a unit of the stage under way takes, how many run at once, and the pace of paid calls.

    The time between an interruption and its resume is no work, so it does not count. Later stages are taken to go at
    the same pace by weight.
    """
    phase = _phase(snapshot)
    counts = snapshot.stages.get(phase) if phase else None
    weights = _weights(snapshot)
    if phase is None or not weights[phase] or counts is None or counts.seconds is None:
        return None
    abreast = max(1, _running(counts, running if phase in PACED else None))
    weight = weights[phase]
    later = sum(weights[stage] for stage in STAGES[STAGES.index(phase) + 1 :])
    each = counts.seconds / abreast
    left = each * counts.pending
    if phase in PACED and pace and snapshot.generation.config.get("model") != OFFLINE:
        left = max(left, counts.pending / pace)
    return round(left + each * counts.total * later / weight, 1)


def _milliseconds(snapshot: Snapshot) -> int:
    generation = snapshot.generation
    if generation.started_at is None:
        return 0
    end = generation.finished_at or snapshot.now  # a paused one works no more
    return max(0, int((end - generation.started_at).total_seconds() * 1000))
